"""The scripts against a real Redis: what each step of a job's life leaves behind."""

import json
from uuid import uuid4

import pytest
from redis.exceptions import NoScriptError

from errand.errors import StoreUnavailable
from errand.store import LostAttempt, NewJob, Outcome
from schemas.notifications import NoticeKind, NoticeState
from schemas.status import Status
from tests.support.jobs import (
    ARGUMENTS,
    accepted,
    claim,
    claimed,
    end_of_grace,
    expire,
    new_job,
    no_round_for,
    rescue,
    succeeded,
)


def test_an_accepted_job_has_record_indexes_outbox_and_event(store):
    job_id = accepted(store)

    record = store.get(job_id)
    assert (record.status, record.operation, record.arguments) == ("accepted", "sum", ARGUMENTS)
    assert store.client.zscore(store.keys.outbox, job_id) == record.created_at
    assert store.client.zrange(store.keys.jobs, 0, -1) == [job_id]
    assert store.client.zrange(store.keys.jobs_in("accepted"), 0, -1) == [job_id]
    [(_, event)] = store.client.xrange(store.keys.events)
    data = {"id": job_id, "status": "accepted", "attempt": 0}
    assert (event["id"], event["event"], json.loads(event["data"])) == (job_id, "status", data)
    assert store.client.zrange(store.keys.waiting("compute", "normal"), 0, -1) == [job_id]


def test_accepting_the_same_id_twice_changes_nothing(store):
    job = new_job(email="name@email.com")
    store.accept([job])
    before = store.client.hgetall(store.keys.job(job.id))

    [verdict] = store.accept([NewJob(job.id, "div", "{}")])

    assert (verdict.id, verdict.kind) == (job.id, "new")
    assert store.client.hgetall(store.keys.job(job.id)) == before
    assert store.client.xlen(store.keys.events) == 1


def test_what_is_asked_in_two_steps_is_stored_and_told_as_in_one(store):
    first, second = new_job(), new_job()
    store.accept([first])

    answers = [store.begin_accept_each([first, second]), store.begin_accept_each([new_job()])]
    verdicts, [third] = (answer() for answer in answers)

    assert [(verdict.id, verdict.kind) for verdict in verdicts] == [(first.id, "new"), (second.id, "new")]
    assert store.client.zrange(store.keys.jobs, 0, -1) == [first.id, second.id, third.id]


def test_what_is_asked_in_two_steps_fails_as_redis_does_and_gives_its_connection_back(store):
    store.client.script_flush()

    answer = store.begin_accept_each([new_job()])

    with pytest.raises(NoScriptError):
        answer()
    connection = store.client.connection_pool.get_connection()
    store.client.connection_pool.release(connection)
    connection.send_command("PING")
    assert connection.read_response() == "PONG", "nothing of the other's is left in it"
    assert store.client.zcard(store.keys.jobs) == 0


def test_a_job_with_an_address_has_its_receipt_pending(store):
    job_id = accepted(store, email="name@email.com")

    [notice] = store.claim_mails(most=10, lease_seconds=60)

    assert (notice.kind, notice.id, notice.attempt) == (NoticeKind.RECEIPT, job_id, 1)
    assert notice.record.emails == ("name@email.com",)


def test_with_mail_switched_off_the_notification_says_so_and_nothing_is_due(silent_store):
    job_id = accepted(silent_store, email="name@email.com")

    note = json.loads(silent_store.get(job_id).notes["mail:receipt"])

    assert note["state"] == NoticeState.DISABLED
    assert silent_store.claim_mails(most=10, lease_seconds=60) == []


def test_a_job_that_rings_twice_is_claimed_once(store):
    job_id = accepted(store)

    first = claim(store, most=2)
    second = claim(store, most=2)

    assert [lease.id for lease in first] == [job_id]
    assert second == []


def test_unknown_and_finished_jobs_are_left_out_of_a_claim(store):
    lease = claimed(store)
    succeeded(store, lease)

    assert store.claim_these([lease.id, str(uuid4())], "a", 30) == []


def test_a_worker_claims_no_more_than_it_asks_for_and_only_from_its_queue(store):
    ids = [accepted(store, queue="compute.cpu") for _ in range(3)]
    accepted(store)

    leases = claim(store, most=2, queue="compute.cpu")

    assert [lease.id for lease in leases] == ids[:2]


def test_a_committed_result_is_final_and_kept_for_its_time(store):
    lease = claimed(store)

    commit = succeeded(store, lease, ttl=60)

    record = store.get(lease.id)
    assert commit.stored
    assert not commit.to_tell
    assert (record.status, record.result) == ("succeeded", "40")
    assert record.expires_at - record.finished_at == 60_000
    assert store.client.zcard(store.keys.leases) == 0


def test_result_and_notification_are_committed_together(store):
    lease = claimed(store, email="name@email.com")

    commit = succeeded(store, lease)

    assert commit.to_tell
    assert {notice.kind for notice in store.claim_mails(10, 60)} == {NoticeKind.RECEIPT, NoticeKind.RESULT}


def test_a_worker_that_lost_its_lease_can_not_commit(store):
    stale = claimed(store)
    expire(store, stale)
    rescue(store)
    [fresh] = claim(store, worker="b")

    late = succeeded(store, stale, '"late"')
    in_time = succeeded(store, fresh, '"in time"')
    again = succeeded(store, fresh, '"again"')

    assert (late.stored, in_time.stored, again.stored) == (False, True, False)
    assert store.get(stale.id).result == '"in time"'


def test_renewing_tells_which_leases_are_lost(store):
    kept, lost = claimed(store), claimed(store)
    succeeded(store, lost)

    assert store.renew([kept, lost], 30).lost == {lost.id}


def test_an_expired_lease_gives_the_job_back_and_rings(store):
    lease = claimed(store)
    expire(store, lease)

    done = rescue(store)

    assert (done.recovered, done.to_ring) == (1, [(lease.id, "compute")])
    assert store.get(lease.id).status == "accepted"


def test_a_job_whose_worker_died_goes_before_those_that_came_after_it(store):
    lease = claimed(store)
    later = [accepted(store) for _ in range(3)]
    expire(store, lease)

    rescue(store)

    assert [each.id for each in claim(store)] == [lease.id, *later]


def test_a_job_whose_worker_died_too_often_is_failed_with_the_reason(store):
    lease = claimed(store, max_attempts=1, email="name@email.com")
    expire(store, lease)

    done = rescue(store)

    record = store.get(lease.id)
    assert done.failed == 1
    assert done.lost == [LostAttempt(lease.id, lease.operation, 1, 1, record.worker, failed=True)]
    assert json.loads(record.error) == {"type": "WorkerDied", "message": "its worker died 1 time"}
    assert NoticeKind.FAILURE in {notice.kind for notice in store.claim_mails(10, 60)}


def test_an_id_left_in_the_outbox_is_rung_once_its_api_had_its_time(store):
    job_id = accepted(store)

    assert rescue(store, patience=60).to_ring == []
    assert rescue(store, patience=-1).to_ring == [(job_id, "compute")]


def test_a_confirmed_doorbell_leaves_the_outbox(store):
    job_id = accepted(store)

    store.confirmed([job_id])

    assert rescue(store, patience=-1).to_ring == []


def test_after_an_outage_leases_may_be_renewed_before_they_count_as_expired(store):
    kept, dead = accepted(store), accepted(store)
    [lease_kept, lease_dead] = sorted(claim(store), key=lambda lease: lease.id != kept)
    assert rescue(store).recovered == 0
    for lease in (lease_kept, lease_dead):
        expire(store, lease)
    no_round_for(store, seconds=6)

    assert rescue(store).recovered == 0
    store.renew([lease_kept], 10)
    end_of_grace(store)

    assert rescue(store).recovered == 1
    assert store.get(kept).status == "running"
    assert store.get(dead).status == "accepted"


def test_a_leader_that_follows_soon_gives_no_grace(store):
    accepted(store)
    [lease] = claim(store)
    rescue(store)
    expire(store, lease)
    no_round_for(store, seconds=4)

    assert rescue(store).recovered == 1


def test_only_one_instance_rescues(store):
    assert rescue(store, token="one") is not None
    assert rescue(store, token="two") is None


def test_retention_removes_every_trace_of_a_finished_job(store):
    lease = claimed(store, tags=("a", "b"), key="once", fingerprint="print", deadline_in_ms=60_000)
    store.renew([lease], 30, {lease.id: '{"progress":0.5}'}, [(lease.id, "a line")])
    store.confirmed([lease.id])
    succeeded(store, lease, ttl=0)

    assert rescue(store).removed == 1

    left = {key.removeprefix(store.keys.prefix) for key in store.client.scan_iter(store.keys.prefix + "*")}
    assert left == {"events", "leader:rescuer", "rounds", "clock", "queues", "totals", "durations", "busy"}


def test_a_job_is_kept_while_its_owner_is_still_to_be_told(store):
    lease = claimed(store, email="name@email.com")
    succeeded(store, lease, ttl=0)

    assert rescue(store).removed == 0
    assert store.get(lease.id) is not None


def test_a_claimed_notification_is_not_given_out_twice(store):
    accepted(store, email="name@email.com")

    assert len(store.claim_mails(10, 60)) == 1
    assert store.claim_mails(10, 60) == []


def test_an_unsettled_notification_is_due_again_after_its_lease(store):
    accepted(store, email="name@email.com")
    [first] = store.claim_mails(10, lease_seconds=0)

    [second] = store.claim_mails(10, lease_seconds=60)

    assert second.attempt == 2
    assert not store.settle(first, NoticeState.SENT), "an overtaken attempt can't settle"
    assert store.settle(second, NoticeState.SENT)


def test_a_settled_notification_shows_on_its_job(store):
    job_id = accepted(store, email="name@email.com")
    [notice] = store.claim_mails(10, 60)

    store.settle(notice, NoticeState.PENDING, "451 later", retry_after=0)
    [again] = store.claim_mails(10, 60)
    store.settle(again, NoticeState.SENT)

    note = json.loads(store.get(job_id).notes["mail:receipt"])
    assert (note["state"], note["attempts"], note.get("last_error")) == ("sent", 2, None)
    assert note["sent_at"] >= note["since"]


def test_a_batch_costs_two_round_trips_and_a_job_little_memory(store):
    ids = [accepted(store) for _ in range(200)]
    before = store.client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)

    leases = claim(store, most=200)
    store.commit([Outcome(lease, Status.SUCCEEDED, "40") for lease in leases])

    after = store.client.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert after - before == 2, "one script for the batch's claim, one for its commit"
    assert store.client.memory_usage(store.keys.job(ids[0])) < 512


def test_the_scripts_survive_a_store_that_forgot_them(store):
    accepted(store)
    store.client.script_flush()

    assert store.get(accepted(store)).status == "accepted"


def test_an_unreachable_store_is_said_in_our_own_words(unreachable_store):
    with pytest.raises(StoreUnavailable):
        unreachable_store.accept([new_job()])
    with pytest.raises(StoreUnavailable):
        unreachable_store.get("x")
    with pytest.raises(StoreUnavailable):
        unreachable_store.ping()
