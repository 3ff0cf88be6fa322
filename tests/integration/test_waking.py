"""The store wakes who found a queue empty, and offers the job; whoever claims it first has it."""

import json

import pytest
import redis

from errand.errors import StoreUnavailable
from errand.store import Lease, Outcome, Store
from schemas.status import Status
from tests.support.jobs import accept_many, accepted, claim, expire, new_job, rescue

SECONDS = 5.0


@pytest.fixture
def rested(store):
    """Make a worker that found the queue empty and listens; gives its ear."""
    ears = []

    def rest(worker, queue="compute"):
        ear = store.ear(worker)
        assert ear.wait(0.1) is None, "nothing was said before; now it is subscribed"
        assert claim(store, queue=queue, worker=worker) == []
        ears.append(ear)
        return ear

    yield rest
    for ear in ears:
        ear.__exit__(None, None, None)


def offer_of(ear):
    wake = ear.wait(SECONDS)
    assert wake is not None
    return wake.offer


def commit(store, offer, status=Status.SUCCEEDED, payload="40", worker="a"):
    [done] = store.commit([Outcome(offer, status, payload, 60_000)], worker, 30)
    return done


def record(store, job_id):
    return store.client.hgetall(store.keys.job(job_id))


def test_who_rests_is_woken_once_and_offered_the_job(store, rested):
    ear = rested("a")

    first, _ = accepted(store), accepted(store)

    assert offer_of(ear) == Lease(first, "", 1, "sum", '{"value":30,"other":10}', None, 3)
    assert ear.wait(0.1) is None, "who was woken looks for himself"
    assert record(store, first)["status"] == "accepted"


def test_of_two_who_rest_each_is_woken_for_a_job_the_last_one_first(store, rested):
    ears = [rested("a"), rested("b")]

    jobs = accept_many(store, 3)

    assert {offer_of(ear).id for ear in ears} == set(jobs[:2])


def test_a_job_of_another_queue_wakes_nobody(store, rested):
    ear = rested("a", queue="compute.cpu")

    accepted(store)

    assert ear.wait(0.1) is None


def test_who_is_gone_is_passed_over(store, rested):
    ear = rested("a")
    assert claim(store, worker="dead") == []

    job_id = accepted(store)

    assert offer_of(ear).id == job_id
    assert not store.client.exists(store.keys.prefix + "idle:compute")


def test_where_an_access_list_allows_no_channels_jobs_are_accepted_and_nobody_is_woken(store, rested, redis_url):
    ear = rested("a")
    store.client.execute_command("ACL", "SETUSER", "quiet", "on", ">secret", "~*", "+@all", "resetchannels")
    try:
        url = redis_url.replace("redis://", "redis://quiet:secret@")
        other = Store(redis.Redis.from_url(url, decode_responses=True), store.keys)

        job_id = accepted(other)

        assert ear.wait(0.1) is None
        assert [lease.id for lease in claim(other)] == [job_id]
        with pytest.raises(StoreUnavailable):
            other.ear("b").wait(0.1)
    finally:
        store.client.execute_command("ACL", "DELUSER", "quiet")


def test_a_call_by_rpc_wakes_nobody_as_its_worker_waits_for_it(store, rested):
    ear = rested("a")

    store.accept([job := new_job()], quiet=True)

    assert ear.wait(0.1) is None
    assert record(store, job.id)["status"] == "accepted"


@pytest.mark.parametrize("fields", [{"max_attempts": 1}, {"arguments": json.dumps({"text": "x" * 2000})}])
def test_what_may_be_started_once_only_or_is_large_is_not_offered(store, rested, fields):
    ear = rested("a")

    accepted(store, **fields)

    assert offer_of(ear) is None


def test_a_job_whose_worker_died_is_not_offered(store, rested):
    accepted(store)
    [lease] = claim(store, worker="b", most=1)
    ear = rested("a")

    expire(store, lease)
    rescue(store)

    assert offer_of(ear) is None
    assert [lease.attempt for lease in claim(store)] == [2]


def test_the_outcome_of_an_offer_claims_finishes_and_rests_in_one_step(store, rested):
    ear = rested("a")
    job_id = accepted(store)

    done = commit(store, offer_of(ear))

    assert (done.status, done.final) == (Status.SUCCEEDED, True)
    job = record(store, job_id)
    assert (job["status"], job["result"], job["attempt"], job["fence"], job["worker"]) == (
        *("succeeded", "40"),
        *("1", "1", "a"),
    )
    events = [json.loads(event["data"])["status"] for _, event in store.client.xrange(store.keys.events)]
    assert events == ["accepted", "running", "succeeded"]
    for key in (store.keys.outbox, store.keys.leases, store.keys.prefix + "waiting:compute:normal"):
        assert not store.client.exists(key)
    another = accepted(store)
    assert offer_of(ear).id == another, "it rests again"


def test_where_more_waits_who_took_an_offer_is_woken_at_once(store, rested):
    ear = rested("a")
    accept_many(store, 2)

    commit(store, offer_of(ear))

    wake = ear.wait(SECONDS)
    assert (wake.queue, wake.offer) == ("compute", None)


def test_the_outcome_of_an_offer_is_refused_once_another_claimed_the_job(store, rested):
    ear = rested("a")
    job_id = accepted(store)
    [lease] = claim(store, worker="b", most=1)
    before = record(store, job_id)

    done = commit(store, offer_of(ear))

    assert not done.stored
    assert record(store, job_id) == before
    assert commit(store, lease, worker="b").stored


def test_of_one_offer_two_outcomes_finish_the_job_once(store, rested):
    offer = offer_of_one(store, rested)

    first, second = commit(store, offer, payload="1"), commit(store, offer, payload="2")

    assert (first.stored, second.stored) == (True, False)
    assert record(store, offer.id)["result"] == "1"


@pytest.mark.parametrize("change", ["cancelled", "deleted"])
def test_an_offer_of_a_job_that_was_called_off_comes_to_nothing(store, rested, change):
    offer = offer_of_one(store, rested)
    store.cancel(offer.id)
    if change == "deleted":
        store.delete(offer.id)
    before = record(store, offer.id)

    assert not commit(store, offer).stored
    assert record(store, offer.id) == before


def test_an_offer_whose_deadline_passed_is_cancelled(store, rested):
    ear = rested("a")
    job_id = accepted(store, deadline_in_ms=1)
    offer = offer_of(ear)
    while float(record(store, job_id)["deadline"]) >= store.now():
        pass

    assert not commit(store, offer).stored
    assert record(store, job_id)["status"] == "cancelled"


def test_an_offer_that_failed_is_tried_again_and_counts_as_an_attempt(store, rested):
    offer = offer_of_one(store, rested)

    done = commit(store, offer, Status.RETRYING, '{"type":"OSError","message":"no"}')

    assert done.status is Status.RETRYING or record(store, offer.id)["status"] == "retrying"
    assert (record(store, offer.id)["attempt"], store.client.zcard(store.keys.due)) == ("1", 1)


def offer_of_one(store, rested):
    ear = rested("a")
    accepted(store)
    return offer_of(ear)
