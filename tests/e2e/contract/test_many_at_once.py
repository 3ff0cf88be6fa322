"""The contract of sending again and of sending many: the Idempotency-Key, and batches."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import requests

from tests.support.contract import NUMBERS, REFUSED, SUM, pointers, problem
from tests.support.stack import Stack

CROWD = 100


def at_once(call: Callable[[requests.Session], requests.Response]) -> list[requests.Response]:
    """Make the same call from a hundred clients at the same moment."""
    barrier = Barrier(CROWD)

    def client(_: int) -> requests.Response:
        with requests.Session() as session:
            barrier.wait()
            return call(session)

    with ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(client, range(CROWD)))


def test_a_hundred_submissions_at_once_under_one_key_make_one_job(shared: Stack) -> None:
    body = {**SUM, "tags": ["crowd"]}
    key = {"Idempotency-Key": "crowd-1"}

    answers = at_once(lambda session: session.post(f"{shared.url}/jobs", json=body, headers=key, timeout=60))

    assert {answer.status_code for answer in answers} == {202}
    [job_id] = {answer.json()["id"] for answer in answers}
    assert sum(answer.headers.get("Idempotent-Replayed") == "true" for answer in answers) == CROWD - 1
    assert [job["id"] for job in shared.get("/jobs?tag=crowd").json()["jobs"]] == [job_id]
    assert shared.finished(job_id)["attempt"] == 1
    later = shared.post("/jobs", dict(reversed(body.items())), headers=key)
    assert (later.json()["id"], later.headers["Idempotent-Replayed"]) == (job_id, "true")


@pytest.mark.parametrize("path", ["/compute", "/jobs", "/operations/sum", "/jobs/batch"])
def test_a_key_stands_for_one_request(shared: Stack, path: str) -> None:
    def body(value: int) -> dict[str, Any]:
        arguments = {"value": value, "other": 10}
        return {
            "/compute": {"operation": "sum", **arguments},
            "/jobs": {"operation": "sum", "arguments": arguments},
            "/operations/sum": {"arguments": arguments},
            "/jobs/batch": {"jobs": [SUM, {"operation": "sum", "arguments": arguments}]},
        }[path]

    key = {"Idempotency-Key": f"of {path}".replace(" ", "-")}
    first = shared.post(path, body(30), headers=key)
    again = shared.post(path, body(30), headers=key)
    other = shared.post(path, body(31), headers=key)

    assert (first.status_code, again.status_code) == (202, 202)
    assert "Idempotent-Replayed" not in first.headers
    assert (again.headers["Idempotent-Replayed"], again.json()) == ("true", first.json())
    problem(other, 422, "urn:errand:idempotency-key-reused")
    problem(
        shared.post(path, body(30), headers={"Idempotency-Key": "k" * 256}), 400, "urn:errand:idempotency-key-refused"
    )


def test_of_a_batch_the_good_jobs_are_run_and_the_bad_ones_told_each_in_its_place(shared: Stack) -> None:
    rows = [
        {**SUM, "tags": ["mixed"]},
        {"operation": "nothing", "arguments": {}},
        {"operation": "mul", "arguments": NUMBERS, "tags": ["mixed"], "priority": "high"},
        {"operation": "sum", "arguments": {"value": "30"}, "colour": "red"},
        7,
    ]

    answer = shared.post("/jobs/batch", {"jobs": rows})

    told = answer.json()
    assert (answer.status_code, told["accepted"], told["rejected"]) == (202, 2, 3)
    assert [list(row) for row in told["jobs"]] == [["id"], ["error"], ["id"], ["error"], ["error"]]
    assert [shared.finished(told["jobs"][place]["id"])["result"] for place in (0, 2)] == [40, 300]
    errors = [told["jobs"][place]["error"] for place in (1, 3, 4)]
    assert {(error["type"], error["status"]) for error in errors} == {(REFUSED, 422)}
    assert [pointers(error)[0] for error in errors] == ["/jobs/1/operation", "/jobs/3/colour", "/jobs/4"]
    assert len(shared.get("/jobs?tag=mixed").json()["jobs"]) == 2


def test_a_batch_of_a_thousand_is_computed_whole_and_a_larger_one_refused(shared: Stack) -> None:
    rows = [{"operation": "sum", "arguments": {"value": number, "other": 1}} for number in range(1000)]

    told = shared.post("/jobs/batch", {"jobs": rows}).json()

    assert (told["accepted"], told["rejected"]) == (1000, 0)
    ids = [row["id"] for row in told["jobs"]]
    shared.finished(ids[-1], within=60)
    assert [shared.finished(job_id)["result"] for job_id in ids] == list(range(1, 1001))
    for wrong in ([*rows, SUM], []):
        assert pointers(problem(shared.post("/jobs/batch", {"jobs": wrong}), 422, REFUSED)) == ["/jobs"]
