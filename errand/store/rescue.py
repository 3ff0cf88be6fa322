"""Rescues stuck jobs and handles times that have come: expired leases, delays, deadlines, doorbells, retention.

`workers/rescuer/service.py` calls it once a second; only the leader's call changes anything. Next:
`scripts/rescue.lua`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from errand.store.redis_access.store_part import StorePart

MOST = 500
"""Maximum number of jobs of each kind in one round, so that a round stays short."""
GAP_MS = 2500
"""Length (ms) of a gap without rounds after which leases get a grace period; half a lease if that is longer."""
GRACE_MS = 2000
"""The grace period (ms) in which leases that expired in the gap may be renewed: several times what that takes."""


class LostAttempt(NamedTuple):
    """An attempt whose worker died. `failed`: it was the last one."""

    job_id: str
    operation: str
    attempt: int
    max_attempts: int
    worker: str
    failed: bool


@dataclass(frozen=True, slots=True)
class RescueRound:
    """What one round did. `to_ring`: (job id, queue) of each doorbell to ring now; `next_due` is in s, if any."""

    recovered: int
    failed: int
    released: int
    cancelled: int
    removed: int
    to_ring: list[tuple[str, str]]
    next_due: float | None
    lost: list[LostAttempt]

    @property
    def is_full(self) -> bool:
        """Return whether more work may be waiting already, apart from doorbells."""
        return max(self.recovered + self.failed + self.cancelled, self.released, self.removed) >= MOST


class RescuePart(StorePart):
    """The part of the store that the rescuer uses."""

    def rescue(self, token: str, leader_seconds: float, patience: float, lease_seconds: float) -> RescueRound | None:
        """Do one round as the instance `token`; None if another one leads."""
        times = (int(leader_seconds * 1000), int(patience * 1000), self._kept_ms.failed, self._kept_ms.cancelled)
        answer = self._run("rescue", token, *times, MOST, max(GAP_MS, int(lease_seconds * 500)), GRACE_MS)
        if answer is None:
            return None
        recovered, failed, released, cancelled, removed, ring, due, lost = answer
        to_ring = list(zip(ring[::2], ring[1::2], strict=True))
        next_due = None if due < 0 else due / 1000
        return RescueRound(recovered, failed, released, cancelled, removed, to_ring, next_due, _lost(lost))

    def unheard(self, ids: Sequence[str]) -> set[str]:
        """Return those of `ids` that are not claimed and whose doorbell is not confirmed. Raises StoreUnavailable."""
        if not ids:
            return set()
        with self._asking():
            scores = self._client.zmscore(self._keys.outbox, [*ids])
        return {job_id for job_id, score in zip(ids, scores, strict=True) if score is not None}

    def confirmed(self, ids: Sequence[str]) -> None:
        """Take `ids` out of the outbox, after the broker has confirmed their doorbells."""
        with self._asking():
            self._client.zrem(self._keys.outbox, *ids)


def _lost(words: Sequence[str]) -> list[LostAttempt]:
    rows = zip(*[iter(words)] * 6, strict=True)
    return [
        LostAttempt(job_id, operation, int(attempt), int(most), worker, outcome == "failed")
        for job_id, operation, attempt, most, worker, outcome in rows
    ]
