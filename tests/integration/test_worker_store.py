"""The store as a worker uses it: a call by RPC is answered, whichever worker ran its job."""

import json
from threading import Thread

import pytest

from errand.errors import CallFailed, JobRefused, OperationFailed
from schemas.status import Status
from tests.support.jobs import claim, ended, succeeded


@pytest.fixture
def worker_store(store, settings):
    # not at the top: it imports eventlet, which the tests' own process avoids
    from workers.dependencies import WorkerStore

    return WorkerStore(store, settings)


def test_a_call_is_answered_even_if_another_worker_took_its_job(store, worker_store):
    from workers.compute.outcomes import result_of

    job = worker_store.accept_call("sum", 30, 10, None)
    [lease] = claim(store, worker="another")
    assert worker_store.claim_call(job) == []

    thread = Thread(target=succeeded, args=[store, lease, "40"])
    thread.start()

    assert result_of(*worker_store.ending_of(job)) == 40
    thread.join()


def test_a_call_fails_if_its_job_fails_elsewhere(store, worker_store):
    from workers.compute.outcomes import result_of

    job = worker_store.accept_call("div", 1, 0, None)
    [lease] = claim(store)
    error = {"type": "ZeroDivisionError", "message": "division by zero"}
    ended(store, lease, Status.FAILED, json.dumps(error))

    with pytest.raises(OperationFailed, match="ZeroDivisionError: division by zero"):
        result_of(*worker_store.ending_of(job))


def test_a_call_does_not_wait_for_a_job_that_is_gone(store, worker_store):
    job = worker_store.accept_call("sum", 30, 10, None)
    succeeded(store, claim(store)[0])
    store.delete(job.id)

    with pytest.raises(CallFailed):
        worker_store.ending_of(job)


def test_a_call_may_name_several_addresses_and_is_refused_as_the_api_would(store, settings):
    from workers.dependencies import WorkerStore

    strict = WorkerStore(store, settings.model_copy(update={"mail_allow": "email.com"}))

    job = strict.accept_call("sum", 30, 10, ["a@email.com", "b@email.com"])
    for email in ("c@other.com", ["a@email.com", "c@other.com"], "nobody"):
        with pytest.raises(JobRefused, match=r"^email"):
            strict.accept_call("sum", 30, 10, email)

    assert store.get(job.id).emails == ("a@email.com", "b@email.com")
    assert store.client.zrange(store.keys.jobs, 0, -1) == [job.id], "nothing else was stored"


def test_a_call_mails_how_its_job_ended_and_no_receipt(store, worker_store):
    job = worker_store.accept_call("sum", 30, 10, "name@email.com")
    [lease] = worker_store.claim_call(job)
    assert store.get(job.id).notes == {}, "who calls has the answer soon, or has sent a notice of his own"

    succeeded(store, lease, "40")

    assert list(store.get(job.id).notes) == ["mail:result"]
