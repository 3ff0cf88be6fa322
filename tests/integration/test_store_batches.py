"""A call with many jobs leaves in every key of the store what as many calls with one job leave.

Scripts collect the writes of several jobs and make them at their end, so that is a path of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

import pytest

from errand.settings import Settings
from errand.store import Lease, NewJob, Outcome, Store
from schemas.status import Status
from tests.support import valkey
from tests.support.jobs import end_of_grace, expire, new_job, rescue
from tests.support.store_dump import dump

SIZES = (1, 2, 64, 250)
FAILED = '{"type":"E","message":"no"}'
URL = "https://example.com/hook"


class Step(Protocol):
    """Does one thing with jobs: in one call for all, or in one call for each."""

    def __call__(self, store: Store, jobs: list[NewJob], together: bool) -> None: ...


@pytest.fixture
def stores(redis_url: str) -> Iterator[tuple[Store, Store]]:
    """Two empty stores."""
    made = []
    for name in ("batch", "single"):
        prefix = f"test-{name}:"
        valkey.forget(redis_url, prefix)
        made.append(Store.connect(Settings(_env_file=None, redis_url=redis_url, key_prefix=prefix)))
    yield made[0], made[1]
    for each in made:
        each.client.close()
        valkey.forget(redis_url, each.keys.prefix)


def jobs_of_every_kind(count: int) -> list[NewJob]:
    """Describe jobs, every seventh alike: with and without all that a script may have to write for a job."""
    kinds: list[dict[str, object]] = [
        {},
        {"email": "a@example.com b@example.com"},
        {"webhook_url": URL, "priority": "high"},
        {"deadline_in_ms": 3_600_000, "priority": "low"},
        {"tags": ("red", "blue"), "operation": "div"},
        {"email": "a@example.com", "webhook_url": URL, "deadline_in_ms": 3_600_000, "tags": ("red",)},
        {"max_attempts": 1, "timeout": 5.0},
    ]
    jobs = [new_job(**kinds[n % len(kinds)]) for n in range(count)]
    return [replace(job, key=f"key-{n}", fingerprint="f") if n % 5 == 0 else job for n, job in enumerate(jobs)]


def each(store: Store, jobs: list[NewJob], together: bool, call: Callable[[list[NewJob]], object]) -> None:
    """Make one call with all jobs, or one call with each."""
    for group in [jobs] if together else [[job] for job in jobs]:
        call(group)


def accept(store: Store, jobs: list[NewJob], together: bool) -> None:
    each(store, jobs, together, store.accept)


def accept_each(store: Store, jobs: list[NewJob], together: bool) -> None:
    each(store, jobs, together, store.accept_each)


def accept_twice(store: Store, jobs: list[NewJob], together: bool) -> None:
    accept(store, jobs, together)
    accept(store, jobs, together)


def accept_delayed(store: Store, jobs: list[NewJob], together: bool) -> None:
    accept(store, [replace(job, delay_ms=600_000, deadline_in_ms=None) for job in jobs], together)


def claim_queue(store: Store, jobs: list[NewJob], together: bool) -> None:
    store.accept(jobs)
    each(store, jobs, together, lambda group: store.claim("compute", len(group), "worker", 30))


def leases(store: Store, jobs: list[NewJob]) -> list[Lease]:
    store.accept(jobs)
    return [lease for job in jobs for lease in store.claim_these([job.id], "worker", 30)]


def claim_these(store: Store, jobs: list[NewJob], together: bool) -> None:
    store.accept(jobs)
    each(store, jobs, together, lambda group: store.claim_these([job.id for job in group], "worker", 30))


def renew(store: Store, jobs: list[NewJob], together: bool) -> None:
    held = leases(store, jobs)
    for group in [held] if together else [[lease] for lease in held]:
        lines = [(lease.id, text) for lease in group for text in ("one", "two")]
        store.renew(group, 600, {lease.id: '{"progress":0.5}' for lease in group}, lines)


def commit_as(status: Status, payload: str, retry_ms: int = 0) -> Step:
    def commit(store: Store, jobs: list[NewJob], together: bool) -> None:
        outcomes = [Outcome(lease, status, payload, retry_ms) for lease in leases(store, jobs)]
        for group in [outcomes] if together else [[outcome] for outcome in outcomes]:
            store.commit(group)

    return commit


def commit_offers(store: Store, jobs: list[NewJob], together: bool) -> None:
    """Commit jobs that were offered to a worker: the commit claims them."""
    store.accept(jobs)
    offers = [Lease(job.id, "", 1, job.operation, job.arguments) for job in jobs]
    outcomes = [Outcome(offer, Status.SUCCEEDED, "40") for offer in offers]
    for group in [outcomes] if together else [[outcome] for outcome in outcomes]:
        store.commit(group, "worker", 30)


def commit_after_cancelling(store: Store, jobs: list[NewJob], together: bool) -> None:
    held = leases(store, jobs)
    for job in jobs:
        store.cancel(job.id)
    outcomes = [Outcome(lease, Status.ACCEPTED, FAILED) for lease in held]
    for group in [outcomes] if together else [[outcome] for outcome in outcomes]:
        store.commit(group)


def retry(store: Store, jobs: list[NewJob], together: bool) -> None:
    commit_as(Status.FAILED, FAILED)(store, jobs, together=True)
    each(store, jobs, together, lambda group: store.retry_these([job.id for job in group]))


def rescue_expired(store: Store, jobs: list[NewJob], together: bool) -> None:
    held = leases(store, jobs)
    rescue(store)
    end_of_grace(store)
    for group in [held] if together else [[lease] for lease in held]:
        for lease in group:
            expire(store, lease)
        rescue(store)


def release_delayed(store: Store, jobs: list[NewJob], together: bool) -> None:
    accept_delayed(store, jobs, together=True)
    for group in [jobs] if together else [[job] for job in jobs]:
        store.client.zadd(store.keys.due, {job.id: n for n, job in enumerate(group)}, xx=True)
        rescue(store)


STEPS: dict[str, Step] = {
    "accept": accept,
    "accept_each": accept_each,
    "accept_twice": accept_twice,
    "accept_delayed": accept_delayed,
    "claim_queue": claim_queue,
    "claim_these": claim_these,
    "renew": renew,
    "commit_succeeded": commit_as(Status.SUCCEEDED, "40"),
    "commit_failed": commit_as(Status.FAILED, FAILED),
    "commit_retrying": commit_as(Status.RETRYING, FAILED, 600_000),
    "commit_handed_back": commit_as(Status.ACCEPTED, FAILED),
    "commit_offers": commit_offers,
    "commit_cancelled": commit_after_cancelling,
    "retry": retry,
    "rescue_expired": rescue_expired,
    "release_delayed": release_delayed,
}


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_batch_leaves_what_single_calls_leave(stores: tuple[Store, Store], step: Step, count: int) -> None:
    jobs = jobs_of_every_kind(count)
    batch, single = stores

    step(batch, jobs, together=True)
    step(single, jobs, together=False)

    left, expected = dump(batch), dump(single)
    assert left.keys() == expected.keys()
    for key, content in expected.items():
        assert left[key] == content, key
