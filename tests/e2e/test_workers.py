"""Workers with jobs in child processes that are stopped, killed or short of room; what clients do is in `contract/`."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from errand.process.waiting import NeverHappened, until
from tests.support.contract import burning
from tests.support.ports import free_port
from tests.support.processes import alive
from tests.support.stack import Stack, running

OPERATIONS = "workers.operations,tests.support.operations"
WITH_CHARACTERS = {"OPERATIONS": OPERATIONS, "CPU_SLOTS": "2", "MAIL_ENABLED": "false"}


@pytest.fixture
def stack(on_each: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    """Errand with operations that misbehave."""
    with running(tmp_path, {**on_each, **WITH_CHARACTERS}) as stack:
        until(lambda: "burn" in stack.store.catalogue(), 15, "the catalogue")
        yield stack


def test_a_second_worker_takes_what_the_first_has_no_room_for(stack, tmp_path):
    second = stack.worker("compute")
    second.start()
    try:
        heavy = [stack.submit("dawdle") for _ in range(4)]

        until(lambda: stack.count("running") == 4, 20, "all four run")

        for each in heavy:
            stack.post(f"/jobs/{each}/cancel")
        for each in heavy:
            assert stack.finished(each)["status"] == "cancelled"
    finally:
        second.stop()


def test_jobs_claimed_ahead_of_slots_that_do_not_come_free_go_back_as_if_nothing_had_been(on_each, tmp_path):
    with running(tmp_path, {**on_each, **WITH_CHARACTERS, "IO_SLOTS": "4"}) as stack:
        until(lambda: "count" in stack.store.catalogue(), 15, "the catalogue")
        quick = [{"operation": "count", "arguments": {"seconds": 0.01}} for _ in range(400)]
        slow = [{"operation": "rest", "arguments": {"seconds": 600}} for _ in range(12)]

        answer = stack.post("/jobs/batch", {"jobs": [*quick, *slow]})

        ids = [job["id"] for job in answer.json()["jobs"]]
        assert {stack.finished(job_id)["result"] for job_id in ids[:400]} <= {1, 2, 3, 4}
        until(lambda: (stack.count("running"), stack.count("accepted")) == (4, 8), 10, "those without a slot go back")
        moves = [json.loads(fields["data"]) for _, fields in stack.store.client.xrange(stack.store.keys.events)]
        accepted = [move["id"] for move in moves if move.get("status") == "accepted"]
        times = Counter(accepted)
        assert {times[job_id] for job_id in ids[:400]} == {1}
        assert {times[job_id] for job_id in ids[400:]} == {1, 2}  # some were claimed ahead, and none of them again
        waiting = [stack.store.get(job_id) for job_id in ids[404:]]
        assert {(record.status, record.attempt) for record in waiting} == {("accepted", 0)}


def test_a_tiny_job_that_never_ends_is_ended_in_a_child_once_its_worker_was_replaced(on_rabbitmq, tmp_path):
    with running(tmp_path, {**on_rabbitmq, **WITH_CHARACTERS, "LEASE_SECONDS": "1"}) as stack:
        until(lambda: "spin" in stack.store.catalogue(), 15, "the catalogue")
        job_id = stack.submit("spin")
        until(lambda: stack.status(job_id) == "running" or hangs(stack), 15, "it is run, or run on an offer")
        if stack.status(job_id) == "accepted":
            replace_workers(stack, hang_at_once=True)
            until(lambda: stack.status(job_id) == "running", 30, "it runs")

        replace_workers(stack)

        failed = stack.finished(job_id)
        assert (failed["error"]["type"], failed["attempt"]) == ("TimedOut", 2)


def hangs(stack: Stack) -> bool:
    """Tell whether nobody looks: a worker that lives is noted as idle within a second, again and again."""
    idle = f"{stack.store.keys.prefix}idle:compute"
    stack.store.client.delete(idle)
    try:
        until(lambda: stack.store.client.exists(idle), 3, "a worker that looks")
    except NeverHappened:
        return True
    return False


def replace_workers(stack: Stack, *, hang_at_once: bool = False) -> None:
    """Do what those do who look at their health. Who may hang before saying that it listens isn't waited for."""
    stack.workers.kill9()
    ready, stack.workers.ready = stack.workers.ready, None if hang_at_once else stack.workers.ready
    stack.workers.start()
    stack.workers.ready = ready


def test_a_worker_that_stops_hands_its_jobs_back(on_each, tmp_path):
    with running(tmp_path, {**on_each, **WITH_CHARACTERS, "STOP_GRACE": "0"}) as stack:
        until(lambda: "rest" in stack.store.catalogue(), 15, "the catalogue")
        heavy, light = stack.submit("dawdle"), stack.submit("rest", {"seconds": 600})
        until(lambda: stack.count("running") == 2, 20, "both run")

        assert stack.workers.stop() == 0

        for job_id in (heavy, light):
            record = stack.store.get(job_id)
            assert (record.status, record.attempt) == ("accepted", 0)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_worker_whose_broker_is_away_hands_its_jobs_back(on_each, tmp_path, number):
    with running(tmp_path, {**on_each, **WITH_CHARACTERS, "STOP_GRACE": "0"}) as stack:
        until(lambda: "rest" in stack.store.catalogue(), 15, "the catalogue")
        stack.workers.stop()
        jobs = [stack.submit("dawdle"), stack.submit("rest", {"seconds": 600})]
        lonely = stack.worker("compute")
        lonely.env["AMQP_URI"], lonely.ready = f"amqp://guest:guest@127.0.0.1:{free_port()}//", None
        lonely.start()
        try:
            until(lambda: stack.count("running") == 2, 20, "both run")

            os.kill(lonely.process.pid, number)

            assert lonely.process.wait(20) == 0
        finally:
            lonely.stop()
        assert {(stack.store.get(each).status, stack.store.get(each).attempt) for each in jobs} == {("accepted", 0)}


def test_a_tiny_job_that_kills_its_worker_costs_the_others_one_attempt(on_each, tmp_path):
    with running(tmp_path, {**on_each, **WITH_CHARACTERS, "LEASE_SECONDS": "1"}) as stack:
        until(lambda: "perish" in stack.store.catalogue(), 15, "the catalogue")
        sums = [{"operation": "sum", "arguments": {"value": 1, "other": n}} for n in range(50)]
        answer = stack.post("/jobs/batch", {"jobs": [*sums[:25], {"operation": "perish"}, *sums[25:]]})
        ids = [job["id"] for job in answer.json()["jobs"]]
        poison = ids.pop(25)
        until(lambda: not stack.workers.running, 15, "the worker dies of it")

        stack.workers.start()

        failed = stack.finished(poison)
        assert (failed["status"], failed["error"]["type"], failed["attempt"]) == ("failed", "ChildDied", 3)
        assert [stack.finished(job_id)["result"] for job_id in ids] == [1 + n for n in range(50)]
        assert {stack.store.get(job_id).attempt for job_id in ids} <= {1, 2}
        assert stack.workers.running


def test_a_cpu_job_five_times_as_long_as_the_heartbeat_runs_once(on_rabbitmq, tmp_path):
    quick = {"HEARTBEAT": "2", "LEASE_SECONDS": "1", "OUTBOX_PATIENCE": "0.5"}
    with running(tmp_path, {**on_rabbitmq, **WITH_CHARACTERS, **quick}) as stack:
        until(lambda: "burn_for" in stack.store.catalogue(), 15, "the catalogue")

        job = stack.finished(stack.submit("burn_for", {"seconds": 10}))

        assert (job["status"], job["attempt"]) == ("succeeded", 1)
        assert stack.get(f"/jobs/{job['id']}/log").text.count("burning") == 1
        assert "broker_lost" not in stack.workers.output()


def test_nothing_is_left_behind_by_a_worker_that_is_killed(stack):
    _, child = burning(stack)

    os.kill(stack.workers.process.pid, 9)

    until(lambda: not alive([child]), 5, "its child is gone")
