"""The jobs that got stuck or whose time has come: expired leases, delays, deadlines, doorbells, retention.

Stands beside a job's whole life; `workers/rescuer/service.py` calls it once a second, and only the leader's call acts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from errand.store.base import StorePart

MOST = 500
"""Jobs of each kind that one round takes, so that a round stays short."""
GAP_MS = 2500
"""How long no round must have been done for leases to get a grace; at least half a lease, for less costs none."""
GRACE_MS = 2000
"""How long leases that expired while no rounds were done may still be renewed: several times what that takes."""


@dataclass(frozen=True, slots=True)
class RescueRound:
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
        """Tell whether there may be more to do at once; what is to be rung takes its own time."""
        return max(self.recovered + self.failed + self.cancelled, self.released, self.removed) >= MOST


class RescuePart(StorePart):
    """The rescuer's side of the store."""

    def rescue(
        self, token: str, leader_seconds: float, patience: float, result_ttl: int, lease_seconds: float
    ) -> RescueRound | None:
        """Do one round as the instance `token`; None when another one leads."""
        times = (int(leader_seconds * 1000), int(patience * 1000), result_ttl * 1000)
        answer = self._run("rescue", token, *times, MOST, max(GAP_MS, int(lease_seconds * 500)), GRACE_MS)
        if answer is None:
            return None
        recovered, failed, released, cancelled, removed, ring, due = answer
        to_ring = list(zip(ring[::2], ring[1::2], strict=True))
        return RescueRound(recovered, failed, released, cancelled, removed, to_ring, None if due < 0 else due / 1000)

    def unheard(self, ids: Sequence[str]) -> set[str]:
        """Tell which of `ids` nobody has claimed yet, nor has the broker their doorbells; raise StoreUnavailable."""
        if not ids:
            return set()
        with self._asking():
            scores = self._client.zmscore(self._keys.outbox, [*ids])
        return {job_id for job_id, score in zip(ids, scores, strict=True) if score is not None}

    def confirmed(self, ids: Sequence[str]) -> None:
        """Take `ids` out of the outbox: the broker has their doorbells."""
        with self._asking():
            self._client.zrem(self._keys.outbox, *ids)
