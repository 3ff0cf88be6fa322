"""Jobs that are submitted at the same time are stored together, and each request gets its own answer."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.dispatch.group_commit import GroupCommit
from errand.errors import StoreUnavailable
from errand.store import AcceptResult
from tests.support.jobs import new_job


class Gate:
    """A store whose calls wait until they are let through; `fail` says with what a call ends."""

    def __init__(self):
        self.calls, self.entered, self.open = [], threading.Semaphore(0), threading.Event()
        self.fail = lambda _jobs: None

    def accept(self, jobs):
        raise AssertionError("jobs of several requests must not refuse each other")

    def accept_each(self, jobs):
        self.calls.append([job.id for job in jobs])
        self.entered.release()
        assert self.open.wait(10)
        if fault := self.fail(jobs):
            raise fault
        return [AcceptResult(job.id, "new") for job in jobs]


@pytest.fixture
def gate():
    return Gate()


def crowd(gate, jobs):
    """Have the first job be on its way while the others come; give what each is told."""
    group_commit = GroupCommit(gate)
    with ThreadPoolExecutor(len(jobs)) as pool:
        first = pool.submit(group_commit.accept, jobs[:1])
        assert gate.entered.acquire(timeout=10)
        others = [pool.submit(group_commit.accept, [job]) for job in jobs[1:]]
        while len(group_commit._pending) < len(others):
            assert not any(other.done() for other in others)
        gate.open.set()
        return [each.exception(10) or each.result() for each in (first, *others)]


def test_jobs_that_arrive_during_a_commit_go_together_in_the_next(gate):
    jobs = [new_job() for _ in range(8)]

    told = crowd(gate, jobs)

    assert told == [[AcceptResult(job.id, "new")] for job in jobs]
    assert [len(call) for call in gate.calls] == [1, 7]


def test_every_request_of_a_group_learns_of_an_outage(gate):
    gate.fail = lambda jobs: StoreUnavailable("away") if len(jobs) > 1 else None

    first, *others = crowd(gate, [new_job() for _ in range(4)])

    assert len(first) == 1
    assert [type(fault) for fault in others] == [StoreUnavailable] * 3
    assert len({id(fault) for fault in others}) == 3


def test_one_that_the_store_chokes_on_harms_no_other(gate):
    jobs = [new_job() for _ in range(4)]
    gate.fail = lambda given: ValueError("choked") if jobs[2] in given else None

    told = crowd(gate, jobs)

    assert [type(each) for each in told] == [list, list, ValueError, list]


def test_a_batch_is_committed_as_a_whole_and_alone(gate):
    batches = []
    gate.accept = batches.append
    group_commit = GroupCommit(gate)

    group_commit.accept([new_job(), new_job()])

    assert [len(batch) for batch in batches] == [2]
    assert gate.calls == []
    assert not group_commit._pending
