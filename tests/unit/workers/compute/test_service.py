"""The story of an attempt: its steps happen in this order, whether a job runs here or in a child."""

from contextlib import contextmanager

import pytest

from schemas.operations import Weight
from workers.compute.service import Claimed, OperationService


class Recorder:
    """Stands for the store, the executor and the announcer, and keeps the order in which they are called."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.waiting = ["tiny", "large"]

    @contextmanager
    def room(self, weight):
        yield 2

    def claim(self, queue, most):
        self.steps.append(f"claim {most} from {queue}")
        return self.waiting

    def sort(self, leases):
        return [each for each in leases if each == "tiny"], [each for each in leases if each == "large"]

    def start_in_children(self, leases, conclude):
        self.steps.append(f"start {leases}")
        self.later = lambda: conclude(leases)

    def run_here(self, leases):
        self.steps.append(f"run {leases}")
        return leases

    def run_offers(self, offers):
        return self.run_here(offers)

    def release_leases(self, outcomes):
        self.steps.append(f"release {outcomes}")

    def commit(self, outcomes):
        self.steps.append(f"commit {outcomes}")
        return [f"commit of {each}" for each in outcomes]

    def announce(self, outcomes, commits):
        self.steps.append(f"announce {commits}")

    def log_ends(self, outcomes, commits):
        self.steps.append(f"log {outcomes}")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def service(recorder: Recorder, monkeypatch) -> OperationService:
    service = OperationService.of("painter")()
    service.store = service.executor = service.announcer = recorder
    monkeypatch.setattr("workers.compute.service.log_ends", recorder.log_ends)
    return service


def test_jobs_are_claimed_acknowledged_run_committed_announced_and_logged(service, recorder):
    service.run_attempts(Weight.CPU, lambda: recorder.steps.append("acknowledge"))
    recorder.later()

    assert recorder.steps == [
        "claim 2 from painter.cpu",
        "acknowledge",
        "start ['large']",
        "run ['tiny']",
        "release ['tiny']",
        "commit ['tiny']",
        "announce ['commit of tiny']",
        "log ['tiny']",
        "release ['large']",
        "commit ['large']",
        "announce ['commit of large']",
        "log ['large']",
    ]


def test_more_may_wait_only_if_as_many_were_claimed_as_there_was_room_for(service, recorder):
    assert service.run_attempts(Weight.TINY) == Claimed(2, more=True)

    recorder.waiting = ["tiny"]

    assert service.run_attempts(Weight.TINY) == Claimed(1, more=False)


def test_offers_are_run_without_a_claim(service, recorder):
    assert service.take_offers(["tiny"]) == 1

    assert recorder.steps == [
        "run ['tiny']",
        "release ['tiny']",
        "commit ['tiny']",
        "announce ['commit of tiny']",
        "log ['tiny']",
    ]
