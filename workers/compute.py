"""The compute service: claims what rang, performs it, commits the outcomes, announces them.

Stands at steps 3 to 6 of a job's life: `run` is the story, one step a line. Next: `perform.py`, then `mail.py`.
"""

from typing import Any

from errand.topology import COMPUTE
from workers.dependencies import Announcer, StoreProvider
from workers.entrypoints.doorbell import Doorbells, doorbell
from workers.entrypoints.rpc import rpc
from workers.perform import Operators


class Compute:
    """Runs jobs whose doorbell rings, and answers `n.rpc.compute.compute('sum', 30, 10, "name@email.com")`."""

    name = COMPUTE

    store = StoreProvider()
    operators = Operators()
    announcer = Announcer()

    @doorbell(COMPUTE)
    def run(self, doorbells: Doorbells) -> None:
        """Run one attempt of every job that rang and still waits."""
        leases = self.store.claim(doorbells.ids)
        doorbells.ack()
        outcomes = self.operators.perform(leases)
        commits = self.store.commit(outcomes)
        self.announcer.announce(outcomes, commits)

    @rpc
    def compute(self, operation: str, value: Any, other: Any, email: str | None = None) -> Any:
        """Accept the job as the API would, run it at once and give its result; the owner is mailed.

        Raises OperationFailed with the error's type and sentence, JobRefused for what the API would refuse.
        """
        job = self.store.accept_call(operation, value, other, email)
        outcomes = self.operators.perform(self.store.claim([job.id]))
        commits = self.store.commit(outcomes)
        self.announcer.announce(outcomes, commits)
        return self.operators.answer(outcomes)
