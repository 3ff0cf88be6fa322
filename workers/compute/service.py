"""The compute service: claims what waits, performs it, commits the outcomes, announces them.

Stands at steps 3 to 6 of a job's life: `take` and `finish` are the story, one step a line. Next: `executor.py`, then
`workers/mail/service.py`.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

import eventlet

from errand.errors import StoreUnavailable
from errand.store import Lease, Outcome
from schemas.operations import COMPUTE, Weight, queue_of
from workers.compute.executor import ExecutorProvider, answer
from workers.dependencies import AnnouncerProvider, StoreProvider
from workers.entrypoints.doorbell import DoorbellBatch, doorbell
from workers.entrypoints.on_wake import POLL_SECONDS, Wakeups, on_wake
from workers.entrypoints.rpc import rpc


class OperationService:
    """Runs the jobs of one service's operations; `of(name)` makes such a service."""

    name: str

    store = StoreProvider()
    operators = ExecutorProvider()
    announcer = AnnouncerProvider()

    @classmethod
    def of(cls, name: str) -> type["OperationService"]:
        """Make the service `name`, whose operations wait in queues of its own."""
        return type(name, (cls,), {"name": name})

    @doorbell(Weight.TINY)
    def take_tiny(self, doorbells: DoorbellBatch) -> None:
        """Run one attempt of as many tiny jobs as rang."""
        self.take(Weight.TINY, doorbells)

    @doorbell(Weight.CPU)
    def take_cpu(self, doorbells: DoorbellBatch) -> None:
        """Start as many CPU-bound jobs as rang."""
        self.take(Weight.CPU, doorbells)

    @doorbell(Weight.IO)
    def take_io(self, doorbells: DoorbellBatch) -> None:
        """Start as many I/O-bound jobs as rang."""
        self.take(Weight.IO, doorbells)

    def take(self, weight: Weight, doorbells: DoorbellBatch) -> None:
        """Claim the best jobs that wait, and have them performed; go on while more wait, whoever else they rang for."""
        taken, wanted = self._take_a_batch(weight, doorbells.ack)
        if taken == wanted:
            self.look(weight)

    @on_wake(Weight.TINY)
    def look_for_tiny(self, wakeups: Wakeups) -> None:
        """Run the tiny jobs that are offered, or else take those that wait, whatever the broker did."""
        for offers in wakeups:
            wakeups.found(self.take_offers(offers) or self.look(Weight.TINY))

    @on_wake(Weight.CPU)
    def look_for_cpu(self, wakeups: Wakeups) -> None:
        """Take the CPU-bound jobs that wait, whatever the broker did."""
        for _ in wakeups:
            wakeups.found(self.look(Weight.CPU))

    @on_wake(Weight.IO)
    def look_for_io(self, wakeups: Wakeups) -> None:
        """Take the I/O-bound jobs that wait, whatever the broker did."""
        for _ in wakeups:
            wakeups.found(self.look(Weight.IO))

    def take_offers(self, offers: Sequence[Lease]) -> int:
        """Run what is offered before anybody has claimed it; give how many there were, none if they aren't tiny."""
        outcomes = self.operators.attempt_offers(offers)
        self.finish(outcomes)
        return len(outcomes)

    def look(self, weight: Weight) -> int:
        """Take what waits until the next look, as long as there is more; give how many there were."""
        taken, until = 0, monotonic() + POLL_SECONDS  # a stopping process waits for this to end
        with suppress(StoreUnavailable):
            while self.operators.wait_for_room(weight, until - monotonic()):
                count, wanted = self._take_a_batch(weight)
                taken += count
                if count < wanted:
                    break
                if weight is Weight.TINY:
                    eventlet.sleep(0)  # others in this process have work as well
        return taken

    def _take_a_batch(self, weight: Weight, claimed: Callable[[], object] = bool) -> tuple[int, int]:
        """Take jobs that wait, and tell by `claimed`; give how many there were, and of how many."""
        with self.operators.room(weight) as most:
            leases = self.store.claim(queue_of(self.name, weight), most)
            claimed()
            self.operators.perform(leases, self.finish)
            return len(leases), most

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Write down how attempts ended, and tell those who wait for it."""
        commits = self.store.commit(outcomes)
        self.announcer.announce(outcomes, commits)


class Compute(OperationService):
    """The service of Errand's own operations; it answers `n.rpc.compute.compute('sum', 30, 10, "name@email.com")`."""

    name = COMPUTE

    @rpc
    def compute(self, operation: str, value: Any, other: Any, email: str | None = None) -> Any:
        """Accept the job as the API would, run it at once and give its result; the owner is mailed.

        Raises OperationFailed with the error's type and sentence, JobRefused for what the API would refuse.
        """
        job = self.store.accept_call(operation, value, other, email)
        self.finish(self.operators.attempt(self.store.claim_call(job)))  # unless another worker has it already
        return answer(*self.store.ending_of(job))
