"""The jobs that got stuck or whose time has come: expired leases, delays, deadlines, lost doorbells, retention.

Stands beside a job's whole life; `workers/rescuer.py` calls it once a second, and only the leader's call acts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from errand.store.part import Part
from errand.store.scripts import asking_redis

MOST = 500
"""Jobs of each kind that one round takes, so that a round stays short."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. `to_ring` holds (job id, queue) whose doorbell must ring now; `next_due` is in s, if any."""

    recovered: int
    failed: int
    released: int
    cancelled: int
    removed: int
    to_ring: list[tuple[str, str]]
    next_due: float | None

    @property
    def is_full(self) -> bool:
        """Tell whether there may be more to do at once."""
        ended = self.recovered + self.failed + self.cancelled
        return max(ended, self.released, self.removed, len(self.to_ring)) >= MOST


class Rescue(Part):
    """The rescuer's side of the store."""

    def rescue(self, token: str, leader_seconds: float, patience: float, result_ttl: int) -> Round | None:
        """Do one round as the instance `token`; None when another one leads."""
        times = (int(leader_seconds * 1000), int(patience * 1000), result_ttl * 1000, MOST)
        answer = self._run("rescue", token, *times)
        if answer is None:
            return None
        recovered, failed, released, cancelled, removed, ring, due = answer
        to_ring = list(zip(ring[::2], ring[1::2], strict=True))
        return Round(recovered, failed, released, cancelled, removed, to_ring, None if due < 0 else due / 1000)

    def confirmed(self, ids: Sequence[str]) -> None:
        """Take `ids` out of the outbox: the broker has their doorbells."""
        with asking_redis():
            self._client.zrem(self._keys.outbox, *ids)

    def oldest_waiting(self) -> dict[str, str]:
        """Give for each queue the id of the job that waits longest; nothing while doorbells are still to be rung."""
        flat = self._run("stuck")
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def ring_again(self, queue: str) -> int:
        """Put the oldest jobs of `queue` back in the outbox, because their doorbells were lost; give how many."""
        return int(self._run("rering", MOST, queue))
