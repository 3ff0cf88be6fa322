"""The scripts against a real Redis: keys, delays, deadlines, retries, cancelling, removing, priorities."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from errand.store import Store
from schemas.notifications import NoticeKind, NoticeState
from schemas.status import Status
from tests.support.jobs import (
    accepted,
    claim,
    claimed,
    ended,
    expire,
    hasten,
    new_job,
    rescue,
    succeeded,
)

ERROR = '{"type":"OSError","message":"no"}'
OTHER = '{"type":"Other","message":"again"}'


def status(store, job_id):
    return store.get(job_id).status


def test_one_key_makes_one_job_however_many_ask_at_once(store, settings):
    jobs = [new_job(key="order-7", fingerprint="same") for _ in range(100)]

    with ThreadPoolExecutor(20) as pool:
        verdicts = list(pool.map(lambda job: store.accept([job])[0], jobs))

    assert len({verdict.id for verdict in verdicts}) == 1
    assert sorted(verdict.kind for verdict in verdicts) == ["new"] + ["replayed"] * 99
    assert store.client.zcard(store.keys.jobs) == 1


def test_one_key_with_another_job_refuses_the_whole_call(store):
    accepted(store, key="order-7", fingerprint="a sum")

    verdicts = store.accept([new_job(), new_job(key="order-7", fingerprint="a difference")])

    assert [verdict.kind for verdict in verdicts] == ["conflict", "conflict"]
    assert store.client.zcard(store.keys.jobs) == 1, "nothing of the call is stored"


def test_a_key_that_conflicts_refuses_no_job_of_another_client(store):
    first = accepted(store, key="order-7", fingerprint="a sum")
    jobs = [
        new_job(),
        new_job(key="order-7", fingerprint="a difference"),
        new_job(key="order-7", fingerprint="a sum"),
        new_job(key="order-8", fingerprint="a sum"),
    ]

    for accept in (store.accept_each, lambda jobs: store.begin_accept_each(jobs)()):
        verdicts = accept(jobs)

        assert [verdict.kind for verdict in verdicts] == ["new", "conflict", "replayed", "new"]
        assert verdicts[2].id == first
        assert store.client.zrange(store.keys.jobs, 0, -1) == [first, jobs[0].id, jobs[3].id]
    assert [lease.id for lease in claim(store)] == [first, jobs[0].id, jobs[3].id]


def test_of_several_jobs_with_one_key_in_one_call_only_the_first_is_stored(store):
    jobs = [new_job(key="order-7", fingerprint=text) for text in ("a sum", "a sum", "a difference")]

    verdicts = store.accept_each(jobs)

    assert [(each.id, each.kind) for each in verdicts] == [
        (jobs[0].id, "new"),
        (jobs[0].id, "replayed"),
        (jobs[2].id, "conflict"),
    ]
    assert store.client.zrange(store.keys.jobs, 0, -1) == [jobs[0].id]
    assert [lease.id for lease in claim(store)] == [jobs[0].id]


def test_jobs_accepted_together_keep_their_order(store):
    jobs = [new_job() for _ in range(50)]
    store.accept(jobs)

    assert [lease.id for lease in claim(store)] == [job.id for job in jobs]


def test_a_delayed_job_waits_for_its_time(store):
    job_id = accepted(store, delay_ms=60_000)
    assert status(store, job_id) == "scheduled"
    assert claim(store) == []
    assert rescue(store).released == 0

    hasten(store, job_id)
    done = rescue(store)

    assert (done.released, done.to_ring) == (1, [(job_id, "compute")])
    assert [lease.id for lease in claim(store)] == [job_id]


def test_a_round_tells_when_the_next_delay_is_over(store):
    assert rescue(store).next_due is None

    accepted(store, delay_ms=5_000)

    assert 4 < rescue(store).next_due <= 5


def test_a_time_that_has_passed_is_now(store):
    assert status(store, accepted(store, run_at_ms=1_000)) == "accepted"


def test_a_job_past_its_deadline_is_not_started(store):
    job_id = accepted(store, deadline_ms=1, email="name@email.com")

    assert claim(store) == []

    record = store.get(job_id)
    assert (record.status, json.loads(record.error)["type"]) == ("cancelled", "DeadlinePassed")
    assert NoticeKind.CANCELLED in {notice.kind for notice in store.claim_mails(10, 60)}


def test_a_deadline_ends_a_job_that_no_worker_asks_for(store):
    job_id, running = accepted(store, delay_ms=60_000, deadline_in_ms=120_000), claimed(store, deadline_in_ms=120_000)
    store.client.zadd(store.keys.deadlines, {job_id: 1, running.id: 1})

    assert rescue(store).cancelled == 1

    assert (status(store, job_id), status(store, running.id)) == ("cancelled", "running")
    assert store.client.zcard(store.keys.due) == 0


def test_an_attempt_that_may_go_better_is_made_again_after_its_pause(store):
    first = claimed(store)
    commit = ended(store, first, Status.RETRYING, ERROR, retry_ms=60_000)
    assert (commit.status, status(store, first.id)) == (Status.RETRYING, "retrying")
    assert store.get(first.id).error == ERROR

    hasten(store, first.id)
    rescue(store)
    [second] = claim(store)

    assert second.attempt == 2
    succeeded(store, second)
    assert store.get(first.id).error is None


def test_the_last_attempt_is_not_made_again(store):
    lease = claimed(store, max_attempts=1)

    commit = ended(store, lease, Status.RETRYING, ERROR, retry_ms=1)

    assert (commit.status, commit.final) == (Status.FAILED, True)
    assert store.get(lease.id).error == ERROR


def test_a_job_handed_back_runs_again_and_nothing_is_counted(store):
    first = claimed(store)

    ended(store, first, Status.ACCEPTED, "null")

    assert store.get(first.id).attempt == 0
    assert rescue(store).to_ring == [(first.id, "compute")]
    [second] = claim(store)
    assert (second.attempt, int(second.fence)) == (1, 2)


@pytest.mark.parametrize("state", ["accepted", "scheduled", "retrying"])
def test_a_job_that_waits_is_cancelled_at_once(store: Store, state: str):
    job_id = accepted(store, email="name@email.com", delay_ms=60_000 if state == "scheduled" else 0)
    if state == "retrying":
        ended(store, claim(store)[0], Status.RETRYING, ERROR, retry_ms=60_000)

    control = store.cancel(job_id)

    assert (control.reply, control.status, control.to_tell) == ("done", state, ("mail",))
    record = store.get(job_id)
    assert (record.status, json.loads(record.error)["type"]) == ("cancelled", "Cancelled")
    assert (claim(store), rescue(store).to_ring, store.client.zcard(store.keys.due)) == ([], [], 0)


def test_a_running_job_is_cancelled_by_its_worker(store):
    lease = claimed(store)

    assert store.cancel(lease.id).reply == "requested"
    assert store.cancel(lease.id).reply == "requested", "asking twice is no mistake"
    assert store.renew([lease], 30).cancel == {lease.id}
    ended(store, lease, Status.CANCELLED, '{"type":"Cancelled","message":"called off"}')

    assert status(store, lease.id) == "cancelled"
    assert store.cancel(lease.id).reply == "refused"


@pytest.mark.parametrize("after", [Status.RETRYING, Status.ACCEPTED])
def test_a_job_that_was_called_off_does_not_start_again(store, after):
    lease = claimed(store)
    store.cancel(lease.id)

    assert ended(store, lease, after, ERROR, retry_ms=1).status is Status.CANCELLED


def test_a_job_that_was_called_off_ends_when_its_worker_dies(store):
    lease = claimed(store)
    store.cancel(lease.id)
    expire(store, lease)

    assert rescue(store).cancelled == 1
    assert status(store, lease.id) == "cancelled"


def test_a_result_that_was_there_first_stands(store):
    lease = claimed(store)
    store.cancel(lease.id)

    assert succeeded(store, lease).status is Status.SUCCEEDED


def test_a_failed_job_runs_again_by_hand_with_all_its_attempts(store):
    first = claimed(store, max_attempts=1, email="name@email.com")
    ended(store, first, Status.FAILED, ERROR)

    control = store.retry(first.id)

    assert (control.reply, control.queue) == ("done", "compute")
    record = store.get(first.id)
    assert (record.status, record.attempt, record.max_attempts) == ("accepted", 1, 2)
    assert (record.error, record.finished_at, record.expires_at) == (None, None, None)
    assert store.client.zcard(store.keys.retention) == 0
    [second] = claim(store)
    assert (second.attempt, second.attempt_of_run, second.max_attempts, second.retries) == (2, 1, 2, 1)
    assert not succeeded(store, first).stored, "the attempt before is fenced off"
    assert succeeded(store, second).stored


def test_a_second_failure_is_mailed_by_itself_and_the_mail_about_the_first_says_what_it_was_about(store):
    first = claimed(store, max_attempts=1, email="name@email.com")
    ended(store, first, Status.FAILED, ERROR)
    store.retry(first.id)
    ended(store, claim(store)[0], Status.FAILED, OTHER)

    old, fresh = [notice for notice in store.claim_mails(10, 60) if notice.kind is NoticeKind.FAILURE]

    assert [old.name, fresh.name] == ["failure", "failure1"]
    assert [notice.record_at_end.error for notice in (old, fresh)] == [ERROR, OTHER]
    assert [notice.record_at_end.attempt for notice in (old, fresh)] == [1, 2]
    assert store.settle(fresh, NoticeState.SENT)
    assert store.settle(old, NoticeState.FAILED, "550 no such user")
    notes = {name: json.loads(text) for name, text in store.get(first.id).notes.items()}
    states = {name: note["state"] for name, note in notes.items()}
    assert states == {"mail:receipt": "pending", "mail:failure": "failed", "mail:failure1": "sent"}


@pytest.mark.parametrize("redis_url", ["valkey", "redis_server"], indirect=True)
def test_many_jobs_run_again_in_one_step_but_for_those_that_can_not(store):
    failed, waiting, called_off = claimed(store), accepted(store), accepted(store, queue="other", delay_ms=60_000)
    ended(store, failed, Status.FAILED, ERROR)
    store.cancel(called_off)

    controls = store.retry_these([called_off, waiting, failed.id, "00000000-0000-0000-0000-000000000000", failed.id])

    assert [control.reply for control in controls] == ["done", "refused", "done", "unknown", "refused"]
    assert [control.queue for control in controls if control.reply == "done"] == ["other", "compute"]
    assert {status(store, each) for each in (failed.id, waiting, called_off)} == {"accepted"}
    assert [lease.id for lease in claim(store)] == [waiting, failed.id], "it waits behind those that came meanwhile"


def test_a_replay_names_its_origin_and_outlives_it(store):
    lease = claimed(store)
    succeeded(store, lease)

    replay = accepted(store, origin=lease.id)
    store.delete(lease.id)

    assert store.get(replay).origin == lease.id
    assert [record.origin for record in store.page().records] == [lease.id]


@pytest.mark.parametrize("reply", ["refused", "unknown"])
def test_what_can_not_be_retried_or_removed_is_left_alone(store, reply):
    job_id = accepted(store) if reply == "refused" else "00000000-0000-0000-0000-000000000000"
    before = store.client.hgetall(store.keys.job(job_id))

    assert (store.retry(job_id).reply, store.delete(job_id).reply) == (reply, reply)

    assert store.client.hgetall(store.keys.job(job_id)) == before


def test_a_removed_job_is_gone_and_its_key_is_free(store):
    lease = claimed(store, key="order-7", fingerprint="a", tags=("x",))
    succeeded(store, lease)

    assert store.delete(lease.id).reply == "done"

    assert store.get(lease.id) is None
    assert store.page(tag="x").records == []
    assert store.accept([new_job(key="order-7", fingerprint="b")])[0].kind == "new"


def test_a_job_removed_before_its_owner_was_told_is_gone_for_clients_and_told_all_the_same(store):
    lease = claimed(store, email="name@email.com")
    succeeded(store, lease)

    store.delete(lease.id)

    assert store.get(lease.id) is None
    assert store.page().records == []
    assert (store.retry(lease.id).reply, store.delete(lease.id).reply) == ("unknown", "unknown")
    notices = store.claim_mails(10, 60)
    assert {notice.kind for notice in notices} == {NoticeKind.RECEIPT, NoticeKind.RESULT}
    for notice in notices:
        store.settle(notice, NoticeState.SENT)
    assert rescue(store).removed == 1
    assert not store.client.exists(store.keys.job(lease.id))


def test_a_high_job_overtakes_ten_thousand_low_ones(store):
    for _ in range(10):
        store.accept([new_job(priority="low") for _ in range(1000)])
    high = accepted(store, priority="high")

    first, second = claim(store, most=2)

    assert first.id == high
    assert second.id != high
    assert store.get(high).priority == "high"


def test_low_jobs_do_not_starve(store):
    low = [accepted(store, priority="low") for _ in range(5)]
    store.accept([new_job(priority="high") for _ in range(200)])

    order = [lease.id for lease in claim(store, most=60)]

    assert [job_id for job_id in order if job_id in low] == low, "each tenth start is the longest waiting job's"
    assert len(order) == 60


def test_the_position_counts_those_ahead(store):
    low, high = accepted(store, priority="low"), accepted(store, priority="high")
    first, second = accepted(store), accepted(store)

    assert [store.get(each).position for each in (high, first, second, low)] == [0, 1, 2, 3]


def test_the_time_left_is_known_once_such_a_job_has_run(store):
    assert store.get(accepted(store)).wait_ms is None
    succeeded(store, claim(store)[0])
    store.client.hset(f"{store.keys.prefix}durations", "sum", "5000")

    waiting = [accepted(store) for _ in range(3)]

    assert [store.get(each).wait_ms for each in waiting] == [5000, 10_000, 15_000]
    running = claim(store, most=1)[0]
    assert 4000 < store.get(running.id).wait_ms <= 5000
    assert 9000 < store.get(accepted(store, delay_ms=5_000)).wait_ms <= 10_000
