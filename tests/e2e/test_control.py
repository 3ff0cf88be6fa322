"""What a client may do to a job, and how long a job may take, end to end on both brokers, in real child processes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from errand.embedded.wait import until
from tests.support.processes import alive, descendants
from tests.support.stack import Stack, running

OPERATIONS = "workers.operations,tests.support.operations"
WITH_CHARACTERS = {"OPERATIONS": OPERATIONS, "CPU_SLOTS": "2", "MAIL_ENABLED": "false"}


@pytest.fixture
def stack(on_each: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    """Errand with operations that misbehave."""
    with running(tmp_path, {**on_each, **WITH_CHARACTERS}) as stack:
        until(lambda: "burn" in stack.store.catalogue(), 15, "the catalogue")
        yield stack


def posted(stack: Stack, operation: str, arguments: dict[str, Any] | None = None, **fields: Any) -> str:
    """Post a job of any operation and give its id."""
    answer = stack.post("/jobs", {"operation": operation, "arguments": arguments or {}, **fields})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def status(stack: Stack, job_id: str) -> str:
    return str(stack.get(f"/jobs/{job_id}").json()["status"])


def burning(stack: Stack, **fields: Any) -> tuple[str, int]:
    """Start a job that burns a processor and ignores signals; give its id and its process."""
    job_id = posted(stack, "burn", **fields)
    until(lambda: "burning" in stack.get(f"/jobs/{job_id}/log").text, 20, "it burns")
    [child] = [pid for pid in descendants(stack.workers.process.pid) if "children.child" in command_of(pid)]
    return job_id, child


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def test_cancelling_a_running_job_stops_its_process(stack):
    job_id, child = burning(stack)

    answer = stack.post(f"/jobs/{job_id}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    until(lambda: not alive([child]), 2, "its process is gone")
    until(lambda: status(stack, job_id) == "cancelled", 2, "cancelled")
    job = stack.get(f"/jobs/{job_id}").json()
    assert (job["error"]["type"], job["attempt"]) == ("Cancelled", 1)
    assert stack.post(f"/jobs/{job_id}/cancel").status_code == 409


def test_a_cancelled_job_runs_again_by_hand(stack):
    job_id = stack.post("/jobs", {"operation": "echo", "arguments": {"value": 7}, "delay": 3600}).json()["id"]
    assert status(stack, job_id) == "scheduled"
    assert stack.post(f"/jobs/{job_id}/retry").status_code == 409
    assert stack.post(f"/jobs/{job_id}/cancel").json()["status"] == "cancelled"

    answer = stack.post(f"/jobs/{job_id}/retry")

    assert answer.status_code == 202
    job = stack.finished(job_id)
    assert (job["status"], job["result"], job["attempt"]) == ("succeeded", 7, 1)


def test_a_job_is_removed_when_it_has_ended(stack):
    job_id, _ = burning(stack)
    assert stack.delete(f"/jobs/{job_id}").status_code == 409
    stack.post(f"/jobs/{job_id}/cancel")
    stack.finished(job_id)

    assert stack.delete(f"/jobs/{job_id}").status_code == 204

    assert stack.get(f"/jobs/{job_id}").status_code == 404
    assert stack.delete(f"/jobs/{job_id}").status_code == 404


def test_a_timeout_ends_a_job_that_ignores_signals(stack):
    job_id, child = burning(stack, timeout=1)

    job = stack.finished(job_id)

    assert (job["status"], job["attempt"]) == ("failed", 1)
    assert job["error"] == {"type": "TimedOut", "message": "took longer than its timeout of 1 s"}
    assert not alive([child])


def test_a_child_that_dies_fails_the_attempt_and_harms_nothing_else(stack):
    neighbour = posted(stack, "rest", {"seconds": 1, "name": "neighbour"})
    dead = posted(stack, "segfault", max_attempts=1)
    left = posted(stack, "exits", {"status": 3}, max_attempts=1)

    assert stack.finished(dead)["error"] == {"type": "ChildDied", "message": "its process ended by signal 11 (SIGSEGV)"}
    assert stack.finished(left)["error"] == {"type": "ChildDied", "message": "its process exited with status 3"}
    assert stack.finished(neighbour)["status"] == "succeeded"
    assert stack.finished(stack.compute())["result"] == 40


def test_a_job_that_eats_memory_is_stopped_at_its_limit(stack):
    job = stack.finished(posted(stack, "eat_a_little_limited", max_attempts=1))

    assert job["error"] == {"type": "MemoryExceeded", "message": "used more than its memory limit of 64 MB"}


def test_what_an_operation_says_is_the_jobs_log_and_its_progress(stack):
    job_id = posted(stack, "report", {"times": 4})
    stack.finished(job_id)
    talk = posted(stack, "talk")
    stack.finished(talk)

    assert stack.get(f"/jobs/{job_id}").json()["progress"]["progress"] == 1
    log = stack.get(f"/jobs/{talk}/log")
    assert log.headers["Content-Type"].startswith("text/plain")
    for words in ("printed", "logged with care", "complained", "from C"):
        assert words in log.text, stack.workers.tail()


def test_an_error_that_may_pass_is_tried_again_and_at_last_fails(stack):
    job_id = posted(stack, "fails", {"kind": "connection"}, max_attempts=2)

    until(lambda: status(stack, job_id) == "retrying", 20, "retrying")
    assert stack.get(f"/jobs/{job_id}").json()["error"]["type"] == "ConnectionResetError"
    job = stack.finished(job_id)

    assert (job["status"], job["attempt"]) == ("failed", 2)


def test_a_burst_of_heavy_jobs_does_not_hold_up_tiny_ones(stack):
    heavy = [posted(stack, "dawdle") for _ in range(5)]
    until(lambda: stack.count("running") == 2, 20, "both slots taken")

    assert stack.finished(stack.compute(), within=10)["result"] == 40

    assert stack.count("running") == 2, "a worker claims no more than it has slots"
    assert sorted(status(stack, each) for each in heavy).count("accepted") == 3
    for each in heavy:
        stack.post(f"/jobs/{each}/cancel")


def test_a_second_worker_takes_what_the_first_has_no_room_for(stack, tmp_path):
    second = stack.worker("compute")
    second.start()
    try:
        heavy = [posted(stack, "dawdle") for _ in range(4)]

        until(lambda: stack.count("running") == 4, 20, "all four run")

        for each in heavy:
            stack.post(f"/jobs/{each}/cancel")
        for each in heavy:
            assert stack.finished(each)["status"] == "cancelled"
    finally:
        second.stop()


def test_a_worker_that_stops_hands_its_jobs_back(on_each, tmp_path):
    with running(tmp_path, {**on_each, **WITH_CHARACTERS, "STOP_GRACE": "0"}) as stack:
        until(lambda: "rest" in stack.store.catalogue(), 15, "the catalogue")
        heavy, light = posted(stack, "dawdle"), posted(stack, "rest", {"seconds": 600})
        until(lambda: stack.count("running") == 2, 20, "both run")

        assert stack.workers.stop() == 0

        for job_id in (heavy, light):
            record = stack.store.get(job_id)
            assert (record["status"], record["attempt"]) == ("accepted", "0")


def test_a_cpu_job_five_times_as_long_as_the_heartbeat_runs_once(on_rabbitmq, tmp_path):
    quick = {"HEARTBEAT": "2", "LEASE_SECONDS": "1", "OUTBOX_PATIENCE": "0.5"}
    with running(tmp_path, {**on_rabbitmq, **WITH_CHARACTERS, **quick}) as stack:
        until(lambda: "burn_for" in stack.store.catalogue(), 15, "the catalogue")

        job = stack.finished(posted(stack, "burn_for", {"seconds": 10}))

        assert (job["status"], job["attempt"]) == ("succeeded", 1)
        assert stack.get(f"/jobs/{job['id']}/log").text.count("burning") == 1
        assert "broker_lost" not in stack.workers.output()


def test_nothing_is_left_behind_by_a_worker_that_is_killed(stack):
    _, child = burning(stack)

    os.kill(stack.workers.process.pid, 9)

    until(lambda: not alive([child]), 5, "its child is gone")
