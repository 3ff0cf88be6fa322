"""How long ended jobs are kept: by the way in which they ended, whichever script ended them."""

import pytest

from errand.settings import Settings
from errand.store import NewJob, Outcome, Store
from schemas.status import Status
from tests.support.jobs import accepted, claim, claimed, expire, keeping, new_job, rescue

ERROR = '{"type":"OSError","message":"no"}'
KEPT = {"succeeded": 100, "failed": 20_000, "cancelled": 3_000}


@pytest.fixture
def kept(store: Store) -> Store:
    return keeping(store, *KEPT.values())


def seconds_kept(store: Store, job_id: str) -> tuple[str, float]:
    """Return the status of an ended job, and the seconds between its end and its deletion."""
    record = store.get(job_id)
    assert store.client.zscore(store.keys.retention, job_id) == record.expires_at
    return record.status, (record.expires_at - record.finished_at) / 1000


def test_a_commit_of_many_keeps_each_by_its_own_end(kept):
    ends = [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.RETRYING, Status.ACCEPTED]
    leases = [claimed(kept, max_attempts=1) for _ in ends]
    kept.cancel(leases[-1].id)

    kept.commit([Outcome(lease, end, ERROR) for lease, end in zip(leases, ends, strict=True)])

    expected = ["succeeded", "failed", "cancelled", "failed", "cancelled"]
    assert [seconds_kept(kept, lease.id) for lease in leases] == [(status, KEPT[status]) for status in expected]


@pytest.mark.parametrize("end", [Status.SUCCEEDED, Status.FAILED, Status.CANCELLED])
def test_a_commit_of_one_keeps_it_by_its_end(kept, end):
    lease = claimed(kept)

    kept.commit([Outcome(lease, end, ERROR)])

    assert seconds_kept(kept, lease.id) == (end, KEPT[end])


def test_a_job_that_is_cancelled_while_it_waits_or_that_nobody_starts_in_time_is_kept_as_cancelled(kept):
    waiting, late, scheduled = accepted(kept), accepted(kept, deadline_ms=1), accepted(kept, delay_ms=60_000)

    kept.cancel(waiting)
    assert claim(kept) == []
    kept.client.hset(kept.keys.job(scheduled), "deadline", 1)
    kept.client.zadd(kept.keys.deadlines, {scheduled: 1})
    rescue(kept)

    for job_id in (waiting, late, scheduled):
        assert seconds_kept(kept, job_id) == ("cancelled", KEPT["cancelled"])


def test_the_rescuer_keeps_a_job_that_failed_longer_than_one_that_was_called_off(kept):
    dead, called_off = claimed(kept, max_attempts=1), claimed(kept)
    kept.cancel(called_off.id)
    for lease in (dead, called_off):
        expire(kept, lease)

    rescue(kept)

    assert seconds_kept(kept, dead.id) == ("failed", KEPT["failed"])
    assert seconds_kept(kept, called_off.id) == ("cancelled", KEPT["cancelled"])


def test_a_failed_job_that_runs_again_and_succeeds_is_kept_as_one_that_succeeded(kept):
    first = claimed(kept)
    kept.commit([Outcome(first, Status.FAILED, ERROR)])
    kept.retry(first.id)
    assert kept.client.zscore(kept.keys.retention, first.id) is None

    kept.commit([Outcome(claim(kept)[0], Status.SUCCEEDED, "40")])

    assert seconds_kept(kept, first.id) == ("succeeded", KEPT["succeeded"])


def test_all_that_belongs_to_a_failed_job_lives_as_long_as_it_and_no_longer(kept):
    job: NewJob = new_job(key="order-7", fingerprint="a", tags=("x",))
    kept.accept([job])
    [lease] = claim(kept)
    kept.renew([lease], 30, lines=[(job.id, "a line")])
    kept.commit([Outcome(lease, Status.FAILED, ERROR)])

    assert rescue(kept).removed == 0
    assert all(kept.client.ttl(name) == -1 for name in kept.client.scan_iter(f"{kept.keys.prefix}*:{job.id}"))
    assert kept.accept([new_job(key="order-7", fingerprint="a")])[0].id == job.id

    kept.client.zadd(kept.keys.retention, {job.id: 1})
    assert rescue(kept).removed == 1
    assert list(kept.client.scan_iter(f"{kept.keys.prefix}*{job.id}*")) == []
    assert kept.page(tag="x").records == []
    assert kept.accept([new_job(key="order-7", fingerprint="b")])[0].kind == "new"


def test_the_settings_name_each_time(redis_url, key_prefix):
    chosen = {"result_ttl": 10, "failure_ttl": 20, "cancelled_ttl": 30}
    store = Store.connect(Settings(_env_file=None, redis_url=redis_url, key_prefix=key_prefix, **chosen))
    leases = [claimed(store) for _ in range(3)]
    ends = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)

    store.commit([Outcome(lease, end, ERROR) for lease, end in zip(leases, ends, strict=True)])

    assert [seconds_kept(store, lease.id)[1] for lease in leases] == [10, 20, 30]
    store.client.close()
