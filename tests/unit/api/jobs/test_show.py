"""Reports: what `GET /jobs/{id}` shows of a job, and when its ETag changes."""

import json
from threading import Thread

import pytest

from api.jobs.show import retry_after_seconds
from errand.job_error import JobError
from errand.record import JobRecord
from schemas.jobs import Attempts, Job, Progress
from schemas.notifications import Notification
from tests.support.jobs import accepted, claim, claimed, succeeded

ID = "01a1fc96-17ae-711f-a888-b75326918fe5"
ACCEPTED = {
    "status": "accepted",
    "operation": "sum",
    "arguments": '{"value":30,"other":10}',
    "queue": "compute",
    "fence": "0",
    "attempt": "0",
    "max_attempts": "3",
    "created_at": "1763700000007",
}
RECEIPT = {"channel": "mail", "to": "a@example.com", "kind": "receipt", "attempts": 1, "since": 1763700000007}
SUCCEEDED = {
    **ACCEPTED,
    "status": "succeeded",
    "attempt": "1",
    "started_at": "1763700000100",
    "finished_at": "1763700001000",
    "expires_at": "1763786401000",
    "result": "1000000000000000000000000000001",
    "email": "a@example.com",
    "note:mail:result": json.dumps({**RECEIPT, "kind": "result", "state": "pending"}),
    "note:mail:receipt": json.dumps({**RECEIPT, "state": "sent", "sent_at": 1763700000200}),
}


def test_notifications_are_listed_receipts_first_and_each_kind_in_the_order_of_its_addresses(client, api_store):
    names = ["result-10", "receipt-2", "result-2", "receipt", "receipt-10", "result"]
    notes = {
        f"note:mail:{name}": json.dumps(
            {**RECEIPT, "to": f"{name}@a.example", "state": "pending", "slot": 1763700000008}
        )
        for name in names
    }
    hooks = {"note:webhook:failure-1": {"channel": "webhook", "to": "https://a.example/", "kind": "failure"}}
    told = {name: json.dumps({**note, "state": "sent", "attempts": 1, "since": 1}) for name, note in hooks.items()}
    api_store.put(ID, SUCCEEDED | {"email": "a@a.example b@a.example"} | told | notes)

    rows = client.get(f"/jobs/{ID}").json["notifications"]

    order = ["receipt", "receipt-2", "receipt-10", "result", "result-2", "result-10"]
    assert [row["to"] for row in rows] == [*(f"{name}@a.example" for name in order), "https://a.example/"]
    assert all(Notification.model_validate(row).model_dump(mode="json") == row for row in rows)


SENT = {**RECEIPT, "state": "sent"}


def test_notifications_of_a_job_that_was_run_again_stand_by_its_runs(client, api_store):
    names = ["mail:receipt", "mail:failure", "mail:failure-2", "mail:failure2", "mail:failure10", "mail:result11-2"]
    names += ["webhook:failure", "webhook:failure-2", "webhook:result-11"]
    notes = {f"note:{name}": json.dumps({**SENT, "channel": name.split(":")[0], "to": name}) for name in names}
    api_store.put(ID, ACCEPTED | {"retries": "11"} | dict(sorted(notes.items(), reverse=True)))

    rows = client.get(f"/jobs/{ID}").json["notifications"]

    assert [row["to"] for row in rows] == names


def test_the_attempts_are_shown_with_the_job_and_by_themselves(client, api_store):
    line = {"number": 1, "outcome": "failed", "started_at": 1763700000100, "ended_at": 1763700000200, "worker": "a:1"}
    line["error"] = {"type": "TimedOut", "message": "took more than 1 s", "public": True}
    job = {**SUCCEEDED, "attempt": "2", "started_at": "1763700000300", "finished_at": "1763700001000", "worker": "b:2"}
    api_store.put(ID, job | {"attempts": json.dumps(line)})

    shown, alone = client.get(f"/jobs/{ID}").json["attempts"], client.get(f"/jobs/{ID}/attempts")

    assert Attempts.model_validate(alone.json).model_dump(mode="json") == alone.json
    assert alone.json == {"attempts": shown}
    assert shown == [
        {
            "number": 1,
            "outcome": "timed_out",
            "started_at": "2025-11-21T04:40:00.100Z",
            "ended_at": "2025-11-21T04:40:00.200Z",
            "worker": "a:1",
            "error": {"type": "TimedOut", "message": "took more than 1 s"},
        },
        {
            "number": 2,
            "outcome": "succeeded",
            "started_at": "2025-11-21T04:40:00.300Z",
            "ended_at": "2025-11-21T04:40:01.000Z",
            "worker": "b:2",
            "error": None,
        },
    ]


def test_an_unknown_job_has_no_attempts(client):
    assert client.get(f"/jobs/{ID}/attempts").json["type"] == "urn:errand:job-unknown"


def test_a_waiting_job_is_shown_and_says_when_to_ask_again(client, api_store):
    api_store.put(ID, ACCEPTED)

    answer = client.get(f"/jobs/{ID}")

    assert answer.status_code == 200
    assert answer.headers["Retry-After"] == "1"
    assert answer.json == {
        "id": ID,
        "operation": "sum",
        "arguments": {"value": 30, "other": 10},
        "status": "accepted",
        "result": None,
        "error": None,
        "explanation": None,
        "attempt": 0,
        "max_attempts": 3,
        "priority": "normal",
        "timeout": None,
        "webhook_url": None,
        "timezone": None,
        "position": 0,
        "progress": None,
        "tags": [],
        "origin": None,
        "replays": [],
        "created_at": "2025-11-21T04:40:00.007Z",
        "run_at": None,
        "deadline": None,
        "started_at": None,
        "finished_at": None,
        "expires_at": None,
        "attempts": [],
        "notifications": [],
        "links": {"self": f"/jobs/{ID}", "events": f"/jobs/{ID}/events", "log": f"/jobs/{ID}/log"},
    }


def test_a_finished_job_is_shown_with_its_exact_result_and_its_notifications(client, api_store):
    api_store.put(ID, SUCCEEDED)

    answer = client.get(f"/jobs/{ID}")

    job = Job.model_validate(answer.json)
    assert "Retry-After" not in answer.headers
    assert job.result == 1000000000000000000000000000001
    assert job.expires_at == "2025-11-22T04:40:01.000Z"
    assert [(note.kind, note.state, note.sent_at) for note in job.notifications] == [
        ("receipt", "sent", "2025-11-21T04:40:00.200Z"),
        ("result", "pending", None),
    ]


def test_a_failed_job_is_shown_with_its_error_and_no_result(client, api_store):
    error = JobError("ZeroDivisionError", "division by zero", public=True)
    api_store.put(ID, {**ACCEPTED, "status": "failed", "attempt": "1", "error": error.written()})

    answer = client.get(f"/jobs/{ID}")

    assert answer.json["error"] == {"type": "ZeroDivisionError", "message": "division by zero"}
    assert (answer.json["result"], answer.json["explanation"]) == (None, "division by zero")
    assert "Retry-After" not in answer.headers


def test_an_error_that_was_not_written_for_people_is_explained_without_it(client, api_store):
    error = JobError("KeyError", "'amount'")
    api_store.put(ID, {**ACCEPTED, "status": "failed", "attempt": "1", "error": error.written()})

    job = client.get(f"/jobs/{ID}").json

    assert job["error"] == {"type": "KeyError", "message": "'amount'"}
    assert ID in job["explanation"]
    assert "amount" not in job["explanation"]


@pytest.mark.parametrize("result", ["null", '"</script>\\u0000\\ud800 😀"', '{"a":[1e-7,0.1,9007199254740993]}'])
def test_a_result_is_shown_exactly_as_it_was_stored(client, api_store, result):
    api_store.put(ID, {**SUCCEEDED, "result": result})

    assert f'"result":{result},' in client.get(f"/jobs/{ID}").text


def test_an_unchanged_job_costs_a_304(client, api_store):
    api_store.put(ID, SUCCEEDED)
    etag = client.get(f"/jobs/{ID}").headers["ETag"]

    answer = client.get(f"/jobs/{ID}", headers={"If-None-Match": f'"other", W/{etag}'})

    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == etag
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(
    "change",
    [
        {"status": "running"},
        {"attempt": "2"},
        {"note:mail:result": json.dumps({**RECEIPT, "kind": "result", "state": "sent", "sent_at": 1})},
    ],
)
def test_a_job_that_changed_is_shown_again(client, api_store, change):
    api_store.put(ID, SUCCEEDED)
    etag = client.get(f"/jobs/{ID}").headers["ETag"]
    api_store.put(ID, {**SUCCEEDED, **change})

    assert client.get(f"/jobs/{ID}", headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize(
    "job_id", [ID[:-1] + "0", f"{{{ID}}}", f"urn:uuid:{ID}", "x", "%00", f"{ID}%0a", "a" * 5000, "é", ID[:-1]]
)
def test_an_unknown_job_is_refused(client, api_store, job_id):
    api_store.put(ID, ACCEPTED)

    answer = client.get(f"/jobs/{job_id}")

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.json["type"] == "urn:errand:job-unknown"


def test_an_invalid_id_is_not_looked_up(client, api_store):
    api_store.go_away()

    assert client.get("/jobs/x").status_code == 404
    assert client.get(f"/jobs/{ID}").status_code == 503


@pytest.mark.parametrize(("wait_ms", "seconds"), [(0, "1"), (1, "1"), (1001, "2"), (3_600_000, "60")])
def test_retry_after_is_the_usual_duration_of_such_jobs(wait_ms, seconds):
    assert str(retry_after_seconds(JobRecord.read(ID, ACCEPTED, wait_ms=wait_ms))) == seconds


def test_a_waiting_job_shows_how_many_are_ahead_of_it_and_when_that_changes(client, api_store):
    first, second = accepted(api_store), accepted(api_store)
    before = client.get(f"/jobs/{second}")

    claim(api_store, most=1)

    after = client.get(f"/jobs/{second}", headers={"If-None-Match": before.headers["ETag"]})
    assert (before.json["position"], after.json["position"]) == (1, 0)
    assert client.get(f"/jobs/{first}").json["position"] is None


def test_a_running_job_shows_its_progress_and_changes_its_etag_with_it(client, api_store):
    lease = claimed(api_store)
    etags = set()

    for fraction in (0.25, 0.5):
        told = {"progress": fraction, "message": "counting", "eta_seconds": None}
        api_store.renew([lease], 30, {lease.id: json.dumps(told)})
        answer = client.get(f"/jobs/{lease.id}")
        etags.add(answer.headers["ETag"])
        assert Job.model_validate(answer.json).progress == Progress(**told)

    assert len(etags) == 2


def test_the_log_of_a_job_is_text_line_by_line(client, api_store):
    lease = claimed(api_store)
    api_store.renew([lease], 30, lines=[(lease.id, "<b>one</b>"), (lease.id, "zwei 😀")])

    answer = client.get(f"/jobs/{lease.id}/log")

    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.text == "<b>one</b>\nzwei 😀\n"


def test_a_silent_job_has_an_empty_log_and_an_unknown_job_has_no_log(client, api_store):
    there, nowhere = client.get(f"/jobs/{accepted(api_store)}/log"), client.get(f"/jobs/{ID}/log")

    assert (there.status_code, there.text) == (200, "")
    assert nowhere.json["type"] == "urn:errand:job-unknown"


def test_a_client_that_waits_gets_the_job_as_it_stands_then(patient_client, api_store):
    lease = claimed(api_store)
    Thread(target=succeeded, args=(api_store, lease)).start()

    ended = patient_client.get(f"/jobs/{lease.id}", headers={"Prefer": "wait=20"})
    still = patient_client.get(f"/jobs/{accepted(api_store)}", headers={"Prefer": "wait=0"})

    assert (ended.status_code, ended.json["status"], ended.headers["Preference-Applied"]) == (
        200,
        "succeeded",
        "wait=20",
    )
    assert (still.status_code, still.json["status"], still.headers["Preference-Applied"]) == (200, "accepted", "wait=0")
