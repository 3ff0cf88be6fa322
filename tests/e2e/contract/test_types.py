"""The contract of arguments: what the API accepts runs, on every way by which a job comes in."""

from typing import Any

import pytest

from errand.process.waiting import until
from tests.support.contract import REFUSED, pointers, problem
from tests.support.stack import Stack

PARCEL: dict[str, Any] = {
    "count": 100.0,
    "price": 19.99,
    "sender": "Übermann",
    "at": "2026-11-30T12:00:00",
    "within": "PT90S",
    "value": "0.10",
    "size": [2.0, "m"],
    "link": "http://example.com",
    "code": "{0190c0de-0000-7000-8000-000000000000}",
}
SEEN = [
    "100",
    "19.99",
    "'Übermann'",
    "datetime.datetime(2026, 11, 30, 12, 0)",
    "datetime.timedelta(seconds=90)",
    "Decimal('0.10')",
    "(2, 'm')",
    "UUID('0190c0de-0000-7000-8000-000000000000')",
    "http://example.com/",
]


def result(stack: Stack, job_id: str) -> Any:
    job = stack.finished(job_id)
    assert job["status"] == "succeeded", job["error"]
    return job["result"]


def test_a_job_and_its_replay_and_a_batch_run_with_the_types_of_the_operation(shared: Stack) -> None:
    job_id = shared.submit("parcel", PARCEL)
    batch = shared.post("/jobs/batch", {"jobs": [{"operation": "parcel", "arguments": PARCEL}]}).json()

    assert result(shared, job_id) == SEEN
    assert result(shared, batch["jobs"][0]["id"]) == SEEN
    replay = shared.post(f"/jobs/{job_id}/retry", {"arguments": {"count": 1e3}})
    assert replay.status_code == 202, replay.text
    assert result(shared, replay.json()["id"]) == ["1000", *SEEN[1:]]


def test_a_schedule_runs_with_the_types_of_the_operation(shared: Stack) -> None:
    schedule = {"cron": "0 0 1 1 *", "operation": "parcel", "arguments": PARCEL}
    stored = shared.put("/schedules/parcels", schedule)
    try:
        assert stored.status_code == 201, stored.text
        shared.store.client.zadd(shared.store.keys.schedules, {"parcels": shared.store.now() - 1})
        jobs = until(lambda: shared.get("/jobs?tag=schedule:parcels").json()["jobs"], 20, "the schedule's job")

        assert result(shared, jobs[0]["id"]) == SEEN
    finally:
        shared.delete("/schedules/parcels")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("count", 100.5, "must be of type integer"),
        ("price", 19.991, "must be a multiple of 0.01"),
        ("sender", "R2D2", "must match"),
        ("link", "example.com", "must be a valid URL, relative URL without a base"),
    ],
)
def test_what_an_operation_would_not_take_is_refused_at_once(
    shared: Stack, name: str, value: object, sentence: str
) -> None:
    answer = shared.post("/jobs", {"operation": "parcel", "arguments": {**PARCEL, name: value}})

    found = problem(answer, 422, REFUSED)
    assert pointers(found) == [f"/arguments/{name}"]
    assert sentence in found["errors"][0]["detail"]
