"""Jobs in a real store, moved between statuses by hand, for the tests of the store and the rescuer."""

from typing import Any
from uuid import uuid4

from errand.store import Commit, Lease, NewJob, Outcome, RescueRound, Retention, Store
from schemas.status import Status

ARGUMENTS = '{"value":30,"other":10}'
QUEUE = "compute"


def new_job(email: str | None = None, **fields: Any) -> NewJob:
    """Describe a sum, with what the test wants to be different; `email`: addresses, with spaces between."""
    fields.setdefault("emails", tuple((email or "").split()))
    return NewJob(**{"id": str(uuid4()), "operation": "sum", "arguments": ARGUMENTS, **fields})


def accepted(store: Store, **fields: Any) -> str:
    """Accept a job and return its id."""
    job = new_job(**fields)
    store.accept([job])
    return job.id


def accept_many(store: Store, count: int, **fields: Any) -> list[str]:
    """Accept so many jobs at once, as an API does that dies before it rings, and return their ids."""
    jobs = [new_job(**fields) for _ in range(count)]
    store.accept(jobs)
    return [job.id for job in jobs]


def claim(store: Store, most: int = 100, queue: str = QUEUE, worker: str = "worker", lease: float = 30) -> list[Lease]:
    """Claim the waiting jobs."""
    return store.claim(queue, most, worker, lease)


def claimed(store: Store, lease_seconds: float = 30, **fields: Any) -> Lease:
    """Accept a job and claim it."""
    [lease] = store.claim_these([accepted(store, **fields)], "worker", lease_seconds)
    return lease


def expire(store: Store, lease: Lease) -> None:
    """Expire the lease now."""
    store.client.zadd(store.keys.leases, {lease.id: 1})


def hasten(store: Store, job_id: str) -> None:
    """End the job's delay now."""
    store.client.zadd(store.keys.due, {job_id: 1}, xx=True)


def rescue(store: Store, token: str = "one", patience: float = 60.0, lease_seconds: float = 10.0) -> RescueRound | None:
    """Run one round of the rescuer."""
    return store.rescue(token, leader_seconds=30, patience=patience, lease_seconds=lease_seconds)


def no_round_for(store: Store, seconds: float) -> None:
    """Let the last round be so long ago, without waiting."""
    store.client.hincrbyfloat(store.keys.prefix + "rounds", "at", -1000 * seconds)


def end_of_grace(store: Store) -> None:
    """Let the time in which leases may still be renewed be over, without waiting."""
    store.client.hset(store.keys.prefix + "rounds", "grace", 1)


def keeping(store: Store, seconds: int, failed: int | None = None, cancelled: int | None = None) -> Store:
    """Return the same store, which keeps ended jobs for so long; those that failed or were cancelled may differ."""
    others = (seconds if other is None else other for other in (failed, cancelled))
    return type(store)(store.client, store.keys, retention=Retention(seconds, *others))


def ended(
    store: Store, lease: Lease, status: Status, payload: str = "40", *, ttl: int = 60, retry_ms: int = 0
) -> Commit:
    """Commit how an attempt ended."""
    [commit] = keeping(store, ttl).commit([Outcome(lease, status, payload, retry_ms)])
    return commit


def succeeded(store: Store, lease: Lease, payload: str = "40", ttl: int = 60) -> Commit:
    """Commit a result."""
    return ended(store, lease, Status.SUCCEEDED, payload, ttl=ttl)
