"""The soak finds what is left behind in the store, and its tracker finds what never came."""

import json

import pytest

from chaos.receiver import ReceivedWebhook
from errand.store import Event
from schemas.notifications import NoticeState
from soak import job_tracker
from soak.job_tracker import JobTracker
from soak.leftovers import orphans, stray_keys
from tests.support.jobs import claimed, rescue, succeeded


@pytest.fixture
def ended(store):
    """A job that has ended, with everything a job can have; its owner was told."""
    lease = claimed(store, tags=("red",), key="key", fingerprint="print", email="name@email.com")
    store.renew([lease], 30, lines=[(lease.id, "a line")])
    store.confirmed([lease.id])
    succeeded(store, lease)
    for notice in store.claim_mails(10, 30):
        store.settle(notice, NoticeState.SENT)
    return lease.id


@pytest.fixture
def tracker(monkeypatch):
    """A tracker that forgets complete jobs at once, and knows no schedules."""
    monkeypatch.setattr(job_tracker, "KEPT", 0)
    return JobTracker(lambda _: False)


def test_a_job_that_waits_for_the_end_of_its_retention_is_no_orphan(store, ended):
    assert orphans(store) == []


@pytest.mark.parametrize("index", ["jobs", "jobs:succeeded", "operation:sum", "tag:red", "retention"])
def test_an_index_that_lacks_a_job_is_found(store, ended, index):
    store.client.zrem(f"{store.keys.prefix}{index}", ended)

    assert orphans(store) == [f"{index} lacks {ended}"]


@pytest.mark.parametrize(
    "index", ["jobs:running", "tag:blue", "outbox", "leases", "due", "notices", "waiting:compute:low"]
)
def test_an_index_that_has_too_much_is_found(store, ended, index):
    store.client.zadd(f"{store.keys.prefix}{index}", {ended: 1})

    assert orphans(store) == [f"{index} has {ended}, which does not belong there"]


def test_what_a_job_that_is_gone_has_left_is_found(store, ended):
    store.client.delete(store.keys.job(ended))

    found = orphans(store)

    assert f"key:key points to {ended} print, which is no job" in found
    assert f"log:{ended} is of no job" in found
    assert f"tag:red has {ended}, which does not belong there" in found


def test_a_job_that_runs_is_found_where_none_should(store):
    lease = claimed(store)

    assert f"leases has {lease.id}, which does not belong there" in orphans(store)


def test_keys_that_outlive_all_jobs_are_found(store, ended):
    prefix = store.keys.prefix
    store.client.zadd(store.keys.retention, {ended: 1})

    assert f"job:{ended}" in stray_keys(store)
    rescue(store)
    assert stray_keys(store) == []
    store.client.set(f"{prefix}key:other", "nobody's")
    assert stray_keys(store) == ["key:other"]


def event(job_id, status):
    return Event("1-0", job_id, "status", json.dumps({"id": job_id, "status": status, "attempt": 1}))


def test_the_tracker_forgets_a_complete_job(tracker):
    tracker.accept("one", ("succeeded",), mailed=True)
    tracker.record_event(event("one", "succeeded"))
    tracker.record_mail("<one.receipt@localhost>")

    assert tracker.close_finished() == 1
    tracker.record_mail("<one.result@localhost>")
    assert tracker.close_finished() == 0
    assert not tracker.faults


def test_the_tracker_waits_for_a_webhook_and_reports_what_is_wrong_with_it(tracker):
    tracker.accept("one", ("failed",), has_webhook=True)
    tracker.record_event(event("one", "failed"))
    assert tracker.close_finished() == 1

    tracker.record_webhook(ReceivedWebhook(1.0, "one-failure", "errand.job.failed", "its signature is wrong"))

    assert tracker.close_finished() == 0
    assert "its signature is wrong" in tracker.wrong[0]


def test_the_tracker_reports_a_job_that_never_ends(tracker, monkeypatch):
    monkeypatch.setattr(job_tracker, "ENDS_IN", 0)
    tracker.accept("one", ("succeeded",))

    tracker.close_finished()

    assert "still open" in tracker.wrong[0]


@pytest.mark.parametrize("ends", [["failed"], ["succeeded", "succeeded"]])
def test_the_tracker_reports_a_wrong_ending_and_a_second_one(tracker, ends):
    tracker.accept("one", ("succeeded",))
    for end in ends:
        tracker.record_event(event("one", end))

    tracker.close_finished()

    assert "instead of succeeded" in tracker.wrong[0]


def test_the_tracker_reports_a_mail_that_comes_twice(tracker):
    tracker.accept("one", ("cancelled",), mailed=True)
    tracker.record_event(event("one", "cancelled"))
    for kind in ("receipt", "cancelled"):
        tracker.record_mail(f"<one.{kind}@localhost>")
    tracker.close_finished()

    tracker.record_mail("<one.cancelled@localhost>")

    assert "after the job was complete" in tracker.wrong[0]


def test_the_tracker_knows_a_job_that_was_retried(tracker):
    tracker.accept("one", ("failed",))
    tracker.record_event(event("one", "failed"))
    tracker.run_again("one")
    assert tracker.close_finished() == 1

    tracker.record_event(event("one", "failed"))

    assert tracker.close_finished() == 0
    assert not tracker.faults
