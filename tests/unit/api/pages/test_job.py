"""`GET /view/{token}`: whoever has the link sees the job, and nobody else does."""

import json
import time
from datetime import UTC, datetime

import pytest

from errand.job_error import JobError
from tests.support.view import BROWSER, ID, RUNNING, Page, path_of

PROGRAMS = ["*/*", "application/json", "application/problem+json", "text/event-stream", ""]
SECRETS = ("Referrer-Policy", "Cache-Control", "X-Robots-Tag", "Cross-Origin-Resource-Policy", "X-Content-Type-Options")


@pytest.fixture
def path(view_path: str) -> str:
    return view_path


def test_the_page_shows_the_operation_the_result_and_the_times_of_the_job(client, given, path):
    given()

    answer = client.get(path, headers=BROWSER)

    page = Page(answer.text)
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert page.tags.count("h1") == page.tags.count("main") == 1
    for words in ("Your operation is complete!", "sum of value 30, other 10", "The result 40", ID, "Took 250 ms"):
        assert words in page.text
    assert "2026-11-21T14:32:26+00:00" in page.all("time", "datetime")


def test_the_page_does_not_show_other_recipients(client, given, path):
    given()

    html = client.get(path).text

    assert not [secret for secret in ("email.com", "hooks.example", "secret") if secret in html]


def test_a_link_and_its_page_are_kept_from_third_parties(client, given, path):
    given(result='[{"a":1}]')

    for answer in (client.get(path), client.get(f"{path}/csv"), client.get("/view/x"), client.get("/unsubscribe/x")):
        headers = answer.headers
        assert [headers[name] for name in SECRETS] == [
            "no-referrer",
            "private, no-store",
            "noindex, nofollow",
            "same-origin",
            "nosniff",
        ]


def test_the_page_loads_only_our_files_and_stands_in_no_frame(client, given, path):
    given()

    policy = client.get(path).headers["Content-Security-Policy"].split("; ")

    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert {source for part in policy for source in part.split()[1:]} == {"'none'", "'self'"}


AWAY = JobError("ServerAway", "away", public=True)
NEXT = "You can submit it again. If it fails again, give the operator of this service the reference"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            RUNNING | {"progress": '{"progress":0.4,"message":"<counting>","eta_seconds":62.3}'},
            "40 %, about 1 min 2 s left",
        ),
        (RUNNING | {"progress": '{"progress":1,"message":null,"eta_seconds":null}'}, "100 %"),
        (RUNNING, "Your job is running"),
        (RUNNING | {"status": "accepted", "queue": "compute"}, "Your job is waiting for a worker"),
        (RUNNING | {"status": "scheduled", "run_at": "1795275146000"}, "Runs 21 November 2026, 15:32:26 UTC"),
        (
            RUNNING | {"status": "retrying", "run_at": "1795271550000", "error": AWAY.written()},
            "Its last attempt failed: away",
        ),
        (
            RUNNING | {"status": "retrying", "run_at": "1795271550000", "error": AWAY._replace(public=False).written()},
            "Something went wrong in its last attempt.",
        ),
        (
            {"status": "failed", "error": AWAY.written(), "result": None},
            "An error occurred sum of value 30, other 10 It failed: away The job",
        ),
        (
            {"status": "failed", "error": '{"type":"KeyError","message":"\'amount\'"}', "result": None},
            f"Something went wrong while we worked on it. {NEXT} {ID} : the details are kept under it. The job",
        ),
        (
            {"status": "cancelled", "error": '{"type":"Cancelled","message":"by its owner"}', "result": None},
            "Your operation was cancelled sum of value 30, other 10 The reason: by its owner",
        ),
        ({"status": "failed", "error": "not json", "attempt": "3"}, "Something went wrong while we worked on it."),
        ({"operation": "odd", "arguments": "not json", "result": "not json"}, "not json"),
        ({"result": None}, "The result none"),
    ],
)
def test_the_page_shows_each_status_in_words(client, given, path, changes, words):
    given(**changes)

    answer = client.get(path)

    assert answer.status_code == 200
    assert words in Page(answer.text).text


def test_the_page_lists_the_attempts_if_there_was_more_than_one(client, given, path):
    given()
    assert "Its attempts" not in client.get(path).text
    line = {
        "number": 1,
        "outcome": "failed",
        "started_at": 1795271545000,
        "ended_at": 1795271545500,
        "worker": "a:1",
    }
    line["error"] = {"type": "KeyError", "message": "'amount'"}
    lines = [line, line | {"number": 2, "error": {"type": "Wrong", "message": "<b>too long</b>", "public": True}}]
    given(attempt="3", attempts="\n".join(json.dumps(each) for each in lines))

    page = Page(client.get(path).text)

    words = "to see all of them. Attempt Started Took Outcome Reason 1 21 November 2026, 14:32:25 UTC 500 ms failed "
    words += "2 21 November 2026, 14:32:25 UTC 500 ms failed <b>too long</b> "
    assert words + "3 21 November 2026, 14:32:26 UTC 250 ms succeeded" in page.text
    assert "amount" not in page.text, "that message was written for developers"
    assert "b" not in page.tags
    assert "a:1" not in page.text, "which machine it was is no matter of the owner's"


def test_only_the_page_of_an_unfinished_job_keeps_itself_up_to_date(client, given, path):
    given(**RUNNING)
    running = Page(client.get(path).text)
    given()
    ended = Page(client.get(path).text)

    assert running.all("main", "data-events") == [f"{path}/events"]
    assert [source.partition("?")[0] for source in running.all("script", "src")] == ["/static/view.js"]
    assert path in running.all("a", "href"), "and without scripts there is a link"
    assert "script" not in ended.tags
    assert ended.all("main", "data-events") == []


def test_an_expired_link_is_gone_and_a_forged_one_was_never_there(client, given, links, path):
    given()
    expired = path_of(links.job(ID, int(time.time()) - 1))
    forged = path[:-3] + "AAA"

    for wrong, status, words in ((expired, 410, "The link has expired"), (forged, 404, "No such link")):
        for suffix in ("", "/json", "/events"):
            page = client.get(wrong + suffix, headers=BROWSER)
            assert (page.status_code, page.mimetype) == (status, "text/html")
            assert words in Page(page.text).text
            assert page.headers["Vary"] == "Accept"
            for accept in PROGRAMS:
                problem = client.get(wrong + suffix, headers={"Accept": accept})
                assert (problem.status_code, problem.mimetype) == (status, "application/problem+json")
                assert (problem.json["status"], problem.json["title"]) == (status, words)
                assert problem.headers["Vary"] == "Accept"


def test_a_job_that_is_no_longer_kept_is_said_to_be_so(client, path):
    answer = client.get(path, headers=BROWSER)

    assert answer.status_code == 404
    assert "no longer kept" in Page(answer.text).text


def test_while_the_store_is_away_the_page_says_so_and_when_to_come_again(client, api_store, given, path):
    given()
    client.get(path)
    api_store.go_away()

    page = client.get(path, headers=BROWSER)
    problem = client.get(path)
    api_store.come_back()

    assert (page.status_code, problem.status_code) == (503, 503)
    assert page.headers["Retry-After"] == problem.headers["Retry-After"]
    assert "try again" in Page(page.text).text


def test_a_link_is_read_even_if_the_store_was_away_when_the_first_one_came(client, api_store, given, path):
    given()
    api_store.go_away()
    away = client.get(path)
    api_store.come_back()

    assert (away.status_code, client.get(path).status_code) == (503, 200)


def test_a_head_request_is_answered_as_a_get_without_its_body(client, given, path):
    given(result='[{"a":1}]')

    for each in (path, f"{path}/csv", f"{path}/json"):
        head, get = client.head(each), client.get(each)
        assert (head.status_code, head.data) == (200, b"")
        assert dict(head.headers) == dict(get.headers)
    assert client.head(f"{path}/events").status_code == 200


def test_the_stream_of_a_link_has_no_lines_of_the_log(patient_client, api_store, given, path):
    given()
    events = patient_client.get(f"{path}/events")

    assert b'"status":"succeeded"' in events.data
    assert events.mimetype == "text/event-stream"
    assert events.headers["Referrer-Policy"] == "no-referrer"


def test_a_link_opens_nothing_else_of_the_api(client, links, path):
    other = path_of(links.unsubscribe("name@email.com"))

    assert client.get(path.replace("/view/", "/unsubscribe/")).status_code == 404
    assert client.get(other.replace("/unsubscribe/", "/view/")).status_code == 404
    assert client.post(path).status_code == 405
    assert client.delete(path).status_code == 405


def test_a_link_is_not_written_into_the_log_even_where_its_page_fails(client, given, path, caplog, monkeypatch):
    given()
    monkeypatch.setattr("api.pages.job.view_model_of", lambda *_: 1 / 0)

    page = client.get(path, headers=BROWSER)

    assert (page.status_code, page.mimetype) == (500, "text/html")
    assert "ZeroDivisionError" not in page.text
    [line] = [line for line in caplog.records if getattr(line, "action", "") == "request_failed"]
    assert line.path == "/view/…"
    assert path.removeprefix("/view/") not in str(line.__dict__)


def test_a_job_that_ends_within_the_second_of_its_link_has_one_time_on_its_page(client, given, links):
    ends = int(time.time()) + 86_400
    given(expires_at=str(ends * 1000 + 999))

    answer = client.get(path_of(links.job(ID, ends)))

    said = [datetime.fromtimestamp(ends, UTC).isoformat()]
    assert Page(answer.text.partition("<footer>")[2]).all("time", "datetime") == said


@pytest.mark.parametrize(("kept_days", "named"), [(1, [1]), (7, [7]), (30, [7, 30])])
def test_the_page_says_until_when_it_can_be_read_and_how_long_a_job_is_kept_that_outlives_its_link(
    client, given, links, kept_days, named
):
    now = int(time.time())
    given(expires_at=str((now + kept_days * 86_400) * 1000))

    answer = client.get(path_of(links.job(ID, now + 7 * 86_400)))

    said = [datetime.fromtimestamp(now + days * 86_400, UTC).isoformat() for days in named]
    assert Page(answer.text.partition("<footer>")[2]).all("time", "datetime") == said
    assert ("Kept until" in answer.text) == (len(named) == 1)
