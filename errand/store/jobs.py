"""A job in the store: accept it, claim it, renew its lease, commit its outcome, look at it.

Stands behind steps 1, 3 and 5 of a job's life; each is one round trip, and a batch costs no more than one job.
Next: `rescue.py` for the jobs that got stuck, `notices.py` for those who are to be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from errand.errors import StoreUnavailable
from errand.store.scripts import UNAVAILABLE, Client, run
from errand.topology import COMPUTE, Keys
from schemas.status import Status


@dataclass(frozen=True, slots=True)
class NewJob:
    """What a client asked for, checked. `arguments` is JSON text, kept as it is."""

    id: str
    operation: str
    arguments: str
    email: str | None = None
    service: str = COMPUTE
    max_attempts: int = 3


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one attempt of a job, until it expires. A commit with an older `fence` is refused."""

    id: str
    fence: str
    attempt: int
    operation: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `payload` is JSON text: the result, or {"type", "message"} of the error."""

    lease: Lease
    status: Status
    payload: str


@dataclass(frozen=True, slots=True)
class Commit:
    """What became of an outcome: refused as stale, or stored; `to_tell` when a notification is due."""

    stored: bool
    to_tell: bool


class Jobs:
    """The job's side of the store."""

    def __init__(self, client: Client, keys: Keys, mail: bool = True) -> None:
        """Use `client`; `mail` tells whether notifications are sent or marked as switched off."""
        self._client, self._keys, self._mail = client, keys, "on" if mail else "off"

    def accept(self, job: NewJob) -> bool:
        """Store the job, all or nothing; False when this id was stored before. Raises StoreUnavailable."""
        fields = ["operation", job.operation, "arguments", job.arguments, "service", job.service]
        fields += ["max_attempts", str(job.max_attempts)]
        if job.email:
            fields += ["email", job.email, "mail", self._mail]
        return bool(run(self._client, "accept", self._keys.prefix, job.id, job.email or "", self._mail, *fields))

    def claim(self, ids: Sequence[str], worker: str, lease_seconds: float) -> list[Lease]:
        """Take the lease of each waiting job among `ids`; finished, running and unknown ones are left out."""
        rows = run(self._client, "claim", self._keys.prefix, int(lease_seconds * 1000), worker, *ids)
        return [Lease(id_, fence, int(attempt), operation, args) for id_, fence, attempt, operation, args in rows]

    def renew(self, leases: Sequence[Lease], lease_seconds: float) -> set[str]:
        """Renew the leases; give the ids whose lease is lost."""
        pairs = [text for lease in leases for text in (lease.id, lease.fence)]
        return set(run(self._client, "renew", self._keys.prefix, int(lease_seconds * 1000), *pairs))

    def commit(self, outcomes: Sequence[Outcome], result_ttl: int) -> list[Commit]:
        """Store the outcomes with their status and notification, each unless its fence is stale; in their order."""
        flat = [text for o in outcomes for text in (o.lease.id, o.lease.fence, o.status.value, o.payload)]
        answers = run(self._client, "commit", self._keys.prefix, result_ttl * 1000, *flat)
        return [Commit(stored=answer > 0, to_tell=answer == 2) for answer in answers]

    def get(self, job_id: str) -> dict[str, str] | None:
        """Give the job's record as it stands in Redis (text by field), or None."""
        try:
            return cast(dict[str, str], self._client.hgetall(self._keys.job(job_id))) or None
        except UNAVAILABLE as fault:
            raise StoreUnavailable() from fault
