"""The compute service: claims waiting jobs, runs them, commits their outcomes, announces them.

Doorbells and wakes call it. `run_attempts` and then `conclude` are the story of every job, a verb a line. Next:
`executor.py`, then `workers/mail/service.py`.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

import eventlet

from errand.errors import StoreUnavailable
from errand.store import Lease, Outcome
from schemas.operations import COMPUTE, Weight, queue_of
from workers.compute.executor import ExecutorProvider
from workers.compute.job_log import log_ends
from workers.compute.outcomes import result_of
from workers.dependencies import AnnouncerProvider, StoreProvider
from workers.entrypoints.doorbell import DoorbellBatch, doorbell
from workers.entrypoints.on_wake import POLL_SECONDS, Wakeups, on_wake
from workers.entrypoints.rpc import rpc


class Claimed(NamedTuple):
    """What one claim brought."""

    jobs: int
    """How many."""
    more: bool
    """Whether more may be waiting: there were as many as there was room for."""


def nothing() -> None:
    """Acknowledge nothing: no doorbell rang."""


class OperationService:
    """Runs the jobs of one service's operations; `of(name)` makes such a service."""

    name: str

    store = StoreProvider()
    executor = ExecutorProvider()
    announcer = AnnouncerProvider()

    @classmethod
    def of(cls, name: str) -> type["OperationService"]:
        """Make the service `name`, whose operations wait in queues of its own."""
        return type(name, (cls,), {"name": name})

    def run_attempts(self, weight: Weight, acknowledge: Callable[[], object] = nothing) -> Claimed:
        """Claim the best of the waiting jobs and run an attempt of each; `conclude` goes on with their outcomes.

        Tiny jobs run here and now. All others run in children: this returns when they have started, and `conclude`
        is called as they end.
        """
        with self.executor.room(weight) as most:
            leases = self.store.claim(queue_of(self.name, weight), most)
            acknowledge()
            tiny, large = self.executor.sort(leases)
            self.executor.start_in_children(large, self.conclude)
            outcomes = self.executor.run_here(tiny)
            self.conclude(outcomes)
        return Claimed(len(leases), more=len(leases) == most)

    def conclude(self, outcomes: Sequence[Outcome]) -> None:
        """End attempts, many at once: stop renewing their leases, commit their outcomes, announce and log them."""
        self.executor.release_leases(outcomes)
        commits = self.store.commit(outcomes)
        self.announcer.announce(outcomes, commits)
        log_ends(outcomes, commits)

    @doorbell(Weight.TINY)
    def take_tiny(self, doorbells: DoorbellBatch) -> None:
        """Run waiting tiny jobs."""
        self.take(Weight.TINY, doorbells)

    @doorbell(Weight.CPU)
    def take_cpu(self, doorbells: DoorbellBatch) -> None:
        """Start waiting CPU-bound jobs."""
        self.take(Weight.CPU, doorbells)

    @doorbell(Weight.IO)
    def take_io(self, doorbells: DoorbellBatch) -> None:
        """Start waiting I/O-bound jobs."""
        self.take(Weight.IO, doorbells)

    def take(self, weight: Weight, doorbells: DoorbellBatch) -> None:
        """Attempt waiting jobs, whichever the doorbells rang for; go on while more wait."""
        if self.run_attempts(weight, doorbells.ack).more:
            self.look(weight)

    @on_wake(Weight.TINY)
    def look_for_tiny(self, wakeups: Wakeups) -> None:
        """Run tiny jobs that are offered, or else those that wait, even if no doorbell rings."""
        for offers in wakeups:
            wakeups.found(self.take_offers(offers) or self.look(Weight.TINY))

    @on_wake(Weight.CPU)
    def look_for_cpu(self, wakeups: Wakeups) -> None:
        """Start waiting CPU-bound jobs, even if no doorbell rings."""
        for _ in wakeups:
            wakeups.found(self.look(Weight.CPU))

    @on_wake(Weight.IO)
    def look_for_io(self, wakeups: Wakeups) -> None:
        """Start waiting I/O-bound jobs, even if no doorbell rings."""
        for _ in wakeups:
            wakeups.found(self.look(Weight.IO))

    def take_offers(self, offers: Sequence[Lease]) -> int:
        """Run offered jobs before anybody has claimed them; return how many, 0 if they aren't all tiny."""
        outcomes = self.executor.run_offers(offers)
        self.conclude(outcomes)
        return len(outcomes)

    def look(self, weight: Weight) -> int:
        """Attempt waiting jobs until the queue is empty or the next look is due; return how many there were."""
        jobs, until = 0, monotonic() + POLL_SECONDS  # a stopping process waits for this to end
        with suppress(StoreUnavailable):
            while self.executor.wait_for_room(weight, until - monotonic()):
                claimed = self.run_attempts(weight)
                jobs += claimed.jobs
                if not claimed.more:
                    break
                if weight is Weight.TINY:
                    eventlet.sleep(0)  # let the other greenthreads of this process run
        return jobs


class Compute(OperationService):
    """The service of Errand's own operations; it answers `n.rpc.compute.compute('sum', 30, 10, "name@email.com")`."""

    name = COMPUTE

    @rpc
    def compute(self, operation: str, value: Any, other: Any, email: str | None = None) -> Any:
        """Accept the job as the API would, run it at once and return its result; the owner is mailed.

        Raises OperationFailed with the error's type and sentence, JobRefused for a job that the API would refuse.
        """
        job = self.store.accept_call(operation, value, other, email)
        leases = self.store.claim_call(job)  # none if another worker has it already
        self.conclude(self.executor.run_here(leases))
        return result_of(*self.store.ending_of(job))
