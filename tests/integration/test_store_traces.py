"""What scripts leave in the store, and what they must not leave: traces by which a later script would go wrong."""

from collections.abc import Callable

import pytest

from errand.store import Lease, NewJob, Outcome, Store
from schemas.notifications import NoticeState
from schemas.status import Status
from tests.support.jobs import (
    accepted,
    claim,
    claimed,
    end_of_grace,
    ended,
    expire,
    hasten,
    new_job,
    rescue,
    succeeded,
)

ERROR = '{"type":"OSError","message":"no"}'
HOUR_MS = 3_600_000
MOST_LINES = 1000
MOST_EVENTS = 20_000


# ---- a retry by hand


def test_a_job_that_was_called_off_while_it_ran_and_is_retried_runs_to_its_end(store: Store) -> None:
    lease = claimed(store)
    store.cancel(lease.id)
    ended(store, lease, Status.CANCELLED, ERROR)

    store.retry(lease.id)
    [again] = claim(store)

    assert store.renew([again], 30).cancel == frozenset()
    assert succeeded(store, again).status is Status.SUCCEEDED


def test_a_job_that_was_cancelled_by_its_deadline_and_is_retried_runs_without_one(store: Store) -> None:
    job_id = accepted(store, deadline_ms=1)
    rescue(store)
    assert store.get(job_id).status == "cancelled"

    store.retry(job_id)

    assert rescue(store).cancelled == 0
    [again] = claim(store)
    assert again.id == job_id
    assert store.client.zscore(store.keys.deadlines, job_id) is None


# ---- deadlines


def hand_back(store: Store, lease: Lease) -> None:
    ended(store, lease, Status.ACCEPTED, ERROR)


def retry_later(store: Store, lease: Lease) -> None:
    ended(store, lease, Status.RETRYING, ERROR, retry_ms=600_000)


def retry_and_release(store: Store, lease: Lease) -> None:
    retry_later(store, lease)
    hasten(store, lease.id)
    rescue(store)


def worker_dies(store: Store, lease: Lease) -> None:
    rescue(store)
    end_of_grace(store)
    expire(store, lease)
    rescue(store)


@pytest.mark.parametrize("goes_back", [hand_back, retry_later, retry_and_release, worker_dies])
def test_a_job_that_ran_once_and_waits_again_is_still_ended_by_its_deadline(
    store: Store, goes_back: Callable[[Store, Lease], None]
) -> None:
    lease = claimed(store, deadline_in_ms=HOUR_MS, email="name@email.com")
    store.client.hset(store.keys.job(lease.id), "deadline", 1)
    store.client.zadd(store.keys.deadlines, {lease.id: 1}, xx=True)
    assert rescue(store).cancelled == 0, "it runs, so it may end"

    goes_back(store, lease)
    rescue(store)

    assert store.get(lease.id).status == "cancelled"
    assert sorted(notice.kind for notice in store.claim_mails(9, 60)) == ["cancelled", "receipt"]


# ---- keys


def test_a_job_that_goes_frees_no_key_that_is_another_jobs_by_now(store: Store) -> None:
    first = succeeded_with(store, key="order-7", fingerprint="a")
    store.client.delete(f"{store.keys.prefix}key:order-7")  # as after a restart from an older copy of the store
    second = accepted(store, key="order-7", fingerprint="a")

    store.delete(first)

    [verdict] = store.accept([new_job(key="order-7", fingerprint="a")])
    assert (verdict.kind, verdict.id) == ("replayed", second)


def succeeded_with(store: Store, **fields: object) -> str:
    lease = claimed(store, **fields)
    succeeded(store, lease)
    return lease.id


# ---- leases


def test_a_worker_that_was_overtaken_does_not_renew_its_successors_lease(store: Store) -> None:
    first = claimed(store, lease_seconds=30)
    worker_dies(store, first)
    [second] = store.claim_these([first.id], "another worker", 30)
    until = store.client.zscore(store.keys.leases, second.id)

    renewal = store.renew([first], 600, {first.id: '{"progress":0.9}'}, [(first.id, "a line of the first")])

    assert renewal.lost == {first.id}
    assert store.client.zscore(store.keys.leases, second.id) == until
    assert store.get(second.id).progress is None
    assert store.log(second.id) == []
    assert store.renew([second], 600).lost == frozenset()


def test_a_job_that_succeeds_after_a_failed_attempt_has_a_result_and_no_error(store: Store) -> None:
    lease = claimed(store, max_attempts=3)
    ended(store, lease, Status.RETRYING, ERROR)
    hasten(store, lease.id)
    rescue(store)
    [again] = claim(store)

    succeeded(store, again)

    record = store.get(lease.id)
    assert (record.status, record.result, record.error) == ("succeeded", "40", None)


def test_of_two_instances_one_leads(store: Store) -> None:
    assert [store.lead("timer", token, 30) for token in ("one", "two", "one", "two")] == [True, False, True, False]


def test_a_job_is_kept_as_long_as_it_says(store: Store) -> None:
    lease = claimed(store)

    succeeded(store, lease, ttl=86_400)

    record = store.get(lease.id)
    assert store.client.zscore(store.keys.retention, lease.id) == record.expires_at
    assert record.expires_at - record.finished_at == 86_400_000


# ---- memory


def test_a_log_has_the_last_lines_only(store: Store) -> None:
    lease = claimed(store)

    store.renew([lease], 30, lines=[(lease.id, f"line {n}") for n in range(MOST_LINES + 1)])

    assert store.log(lease.id) == [f"line {n}" for n in range(1, MOST_LINES + 1)]


def test_the_events_of_all_jobs_are_trimmed(store: Store) -> None:
    lease = claimed(store)

    for _ in range(30):
        store.renew([lease], 30, lines=[(lease.id, "") for _ in range(1000)])

    assert MOST_EVENTS <= store.client.xlen(store.keys.events) < MOST_EVENTS * 1.1


@pytest.mark.parametrize("state", [NoticeState.SENT, NoticeState.FAILED])
def test_a_letter_that_was_settled_expires(store: Store, state: NoticeState) -> None:
    store.add_letter("letter", "name@email.com", "testing", "Just testing")
    [notice] = store.claim_mails(9, 60)
    assert store.client.ttl(store.keys.letter("letter")) == -1

    store.settle(notice, state)

    assert 86_000 < store.client.ttl(store.keys.letter("letter")) <= 86_400
    assert store.client.zcard(store.keys.notifications) == 0


def test_a_job_whose_owner_was_not_told_yet_stays_due_for_deletion(store: Store) -> None:
    job_id = succeeded_with(store, email="name@email.com")
    store.client.zadd(store.keys.retention, {job_id: 1})

    assert rescue(store).removed == 0
    assert store.get(job_id).status == "succeeded"
    assert store.client.zscore(store.keys.retention, job_id) > 1

    for notice in store.claim_mails(9, 60):
        store.settle(notice, NoticeState.SENT)
    store.client.zadd(store.keys.retention, {job_id: 1})
    assert rescue(store).removed == 1
    assert store.get(job_id) is None


# ---- the clock, and the connection


def test_places_go_on_when_the_clock_goes_back(store: Store) -> None:
    first = new_job()
    store.accept([first])
    ahead = int(store.client.zscore(store.keys.jobs, first.id)) + HOUR_MS * 1000  # a primary whose clock was ahead
    store.client.set(f"{store.keys.prefix}clock", ahead)

    later = [NewJob(f"{n}", "sum", "{}") for n in range(3)]
    store.accept(later[:2])
    store.accept(later[2:])

    assert [store.client.zscore(store.keys.jobs, job.id) for job in later] == [ahead + 1, ahead + 2, ahead + 3]
    assert [lease.id for lease in claim(store)] == [first.id, *(job.id for job in later)]


@pytest.mark.parametrize("ask", [Store.ping, Store.catalogue, Store.counts, lambda store: store.accept([new_job()])])
def test_a_connection_that_was_closed_while_idle_is_replaced(store: Store, ask: Callable[[Store], object]) -> None:
    accepted(store)
    mine = str(store.client.client_id())

    for row in store.client.client_list():
        if row["id"] == mine:
            store.client.client_kill_filter(_id=row["id"], skipme=False)

    ask(store)


def test_a_stale_fence_commits_nothing_in_a_batch_either(store: Store) -> None:
    first, other = claimed(store), claimed(store)
    worker_dies(store, first)
    [second] = store.claim_these([first.id], "another worker", 30)

    commits = store.commit([Outcome(first, Status.SUCCEEDED, "1"), Outcome(other, Status.SUCCEEDED, "2")])

    assert [commit.stored for commit in commits] == [False, True]
    assert store.get(first.id).status == "running"
    assert store.commit([Outcome(second, Status.SUCCEEDED, "3")])[0].stored
