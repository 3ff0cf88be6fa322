"""The contract of reading: one job as it stands, the list of them, and results as large as they may be."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.contract import NUMBERS, SUM, a_busy_slot, instant, problem
from tests.support.stack import Stack

MEMBERS = {"id", "operation", "arguments", "status", "result", "error", "attempt", "max_attempts", "progress", "tags"}
MEMBERS |= {"created_at", "started_at", "finished_at", "expires_at", "notifications", "links"}
DAY = timedelta(days=1)
MEGABYTE = 2**20


def ids(page: dict[str, Any]) -> list[str]:
    return [job["id"] for job in page["jobs"]]


def test_a_job_is_shown_from_its_place_in_the_queue_to_its_expiry(shared: Stack) -> None:
    usual = shared.finished(shared.submit("rest_a_while", {"seconds": 0.1}))
    with a_busy_slot(shared):
        first, second = (shared.submit("rest_a_while", {"seconds": 0.1}) for _ in range(2))

        waiting = [shared.get(f"/jobs/{job_id}") for job_id in (first, second)]

    assert [answer.json()["position"] for answer in waiting] == [0, 1]
    assert {(answer.json()["status"], answer.headers["Retry-After"].isdigit()) for answer in waiting} == {
        ("accepted", True)
    }
    job = shared.finished(second)
    assert job.keys() >= MEMBERS
    assert (job["position"], job["attempt"], job["error"]) == (None, 1, None)
    moments = [instant(job[name]) for name in ("created_at", "started_at", "finished_at", "expires_at")]
    assert moments == sorted(moments)
    assert moments[3] - moments[2] == DAY
    assert usual["links"] == {
        "self": f"/jobs/{usual['id']}",
        "events": f"/jobs/{usual['id']}/events",
        "log": f"/jobs/{usual['id']}/log",
    }


def test_an_unchanged_job_costs_a_304_and_a_changed_one_is_shown(shared: Stack) -> None:
    job_id = shared.submit("sum", NUMBERS, delay=3600)
    before = shared.get(f"/jobs/{job_id}")
    known = {"If-None-Match": before.headers["ETag"]}

    unchanged = shared.get(f"/jobs/{job_id}", headers=known)
    shared.post(f"/jobs/{job_id}/cancel")
    changed = shared.get(f"/jobs/{job_id}", headers=known)

    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", known["If-None-Match"])
    assert 1 <= int(before.headers["Retry-After"]) <= 60
    assert (changed.status_code, changed.json()["status"]) == (200, "cancelled")
    assert changed.headers["ETag"] != known["If-None-Match"]
    assert "Retry-After" not in changed.headers
    late = shared.get(f"/jobs/{job_id}", headers={"If-None-Match": changed.headers["ETag"], "Prefer": "wait=5"})
    assert (late.status_code, late.headers["Preference-Applied"]) == (304, "wait=5")


def test_a_list_is_told_by_status_operation_and_tag(shared: Stack) -> None:
    tag = "list:filters"
    later = shared.submit("mul", NUMBERS, tags=[tag], delay=3600)
    failed = shared.submit("div", {"value": 1, "other": 0}, tags=[tag, "other"])
    done = shared.submit("mul", NUMBERS, tags=[tag])
    for job_id in (failed, done):
        shared.finished(job_id)

    def listed(**filters: str) -> list[str]:
        answer = shared.get("/jobs", params=filters)
        assert answer.status_code == 200, answer.text
        return ids(answer.json())

    assert listed(tag=tag) == [done, failed, later]
    assert listed(tag=tag, operation="mul") == [done, later]
    assert listed(tag=tag, status="scheduled") == [later]
    assert listed(tag="other", status="failed", operation="div") == [failed]
    assert listed(tag=tag, operation="div", status="succeeded") == []
    [row] = shared.get("/jobs", params={"tag": "other"}).json()["jobs"]
    assert (row["status"], row["error"]["type"]) == ("failed", "ZeroDivisionError")
    assert not row.keys() & {"arguments", "result", "notifications"}
    shared.post(f"/jobs/{later}/cancel")
    for wrong in ({"status": "done"}, {"limit": "0"}, {"limit": "201"}, {"cursor": "x"}, {"tag": "a b"}, {"page": "2"}):
        told = problem(shared.get("/jobs", params=wrong), 400, "urn:errand:parameter-refused")
        assert told["parameter"] in wrong


@pytest.mark.parametrize("tag", ["list:pages", None])
def test_pages_stay_where_they_are_while_jobs_arrive(shared: Stack, tag: str | None) -> None:
    jobs = {**SUM, "tags": ["list:pages"]}
    there = [row["id"] for row in shared.post("/jobs/batch", {"jobs": [jobs] * 10}).json()["jobs"]]
    seen: list[str] = []
    cursor = None

    while len(seen) < len(there):
        page = shared.get("/jobs", params={"limit": 3, "tag": tag, "cursor": cursor}).json()
        seen += ids(page)
        cursor = page["next"]
        shared.submit(**jobs)

    assert seen[: len(there)] == there[::-1]


def test_the_last_page_says_so(shared: Stack) -> None:
    there = [shared.submit("sum", NUMBERS, tags=["list:end"]) for _ in range(3)]

    first = shared.get("/jobs?tag=list:end&limit=2").json()
    last = shared.get("/jobs", params={"tag": "list:end", "limit": "2", "cursor": first["next"]}).json()

    assert ids(first) + ids(last) == there[::-1]
    assert last["next"] is None


def test_a_result_of_5_mib_is_kept_and_a_larger_one_fails_the_job(shared: Stack) -> None:
    quotes = 2
    fitting = shared.submit("long", {"size": 5 * MEGABYTE - quotes})
    larger = shared.submit("long", {"size": 5 * MEGABYTE - quotes + 1})

    job = shared.finished(fitting)
    refused = shared.finished(larger)

    assert (job["status"], len(job["result"])) == ("succeeded", 5 * MEGABYTE - quotes)
    assert (refused["status"], refused["result"], refused["attempt"]) == ("failed", None, 1)
    assert refused["error"]["type"] == "ResultRefused"
    assert "5242880" in refused["error"]["message"].replace(",", "").replace(" ", "")
