"""The jobs that got stuck: expired leases, doorbells nobody confirmed, doorbells that were lost, retention.

Stands beside a job's whole life; `workers/rescuer.py` calls it once a second, and only the leader's call acts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from errand.errors import StoreUnavailable
from errand.store.scripts import UNAVAILABLE, Client, run
from errand.topology import Keys
from schemas.status import Status

MOST = 500
"""Jobs of each kind that one round takes, so that a round stays short."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. `to_ring` holds (job id, service) whose doorbell must ring now."""

    recovered: int
    failed: int
    removed: int
    to_ring: list[tuple[str, str]]

    @property
    def is_full(self) -> bool:
        """Tell whether there may be more to do at once."""
        return max(self.recovered + self.failed, self.removed, len(self.to_ring)) >= MOST


class Rescue:
    """The rescuer's side of the store."""

    def __init__(self, client: Client, keys: Keys) -> None:
        """Use `client` with the keys of one Errand."""
        self._client, self._keys = client, keys

    def rescue(self, token: str, leader_seconds: float, patience: float, result_ttl: int) -> Round | None:
        """Do one round as the instance `token`; None when another one leads."""
        times = (int(leader_seconds * 1000), int(patience * 1000), result_ttl * 1000, MOST)
        answer = run(self._client, "rescue", self._keys.prefix, token, *times)
        if answer is None:
            return None
        recovered, failed, removed, ring = answer
        return Round(recovered, failed, removed, list(zip(ring[::2], ring[1::2], strict=True)))

    def confirmed(self, ids: Sequence[str]) -> None:
        """Take `ids` out of the outbox: the broker has their doorbells."""
        try:
            self._client.zrem(self._keys.outbox, *ids)
        except UNAVAILABLE as fault:
            raise StoreUnavailable() from fault

    def oldest_waiting(self) -> str | None:
        """Give the id of the job that waits longest, or None; also None while doorbells are still to be rung."""
        try:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.zrange(self._keys.jobs_in(Status.ACCEPTED), 0, 0)
            pipeline.zcard(self._keys.outbox)
            oldest, unrung = cast(tuple[list[str], int], tuple(pipeline.execute()))
        except UNAVAILABLE as fault:
            raise StoreUnavailable() from fault
        return oldest[0] if oldest and not unrung else None

    def ring_again(self) -> int:
        """Put the oldest waiting jobs back in the outbox, because their doorbells were lost; give how many."""
        return int(run(self._client, "rering", self._keys.prefix, MOST))
