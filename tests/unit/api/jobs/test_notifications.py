"""One request sends a job's failed and waiting notifications now, and no others."""

import json

import pytest

from errand.store import Store
from schemas.jobs import Job
from schemas.notifications import NoticeState
from schemas.status import Status
from tests.support.jobs import accepted, claimed, ended, succeeded

UNKNOWN = "01a1fc96-17ae-711f-a888-b75326918fe5"
URL = "https://example.com/hook"


def again(client, job_id):
    return client.post(f"/jobs/{job_id}/notifications/retry")


def fail_mails(store):
    for notice in store.claim_mails(50, 60):
        store.settle(notice, NoticeState.FAILED, "550 no such user")


def test_failed_notifications_are_pending_again_and_their_services_are_rung(client, api_store, doorbells):
    lease = claimed(api_store, email="a@email.com b@email.com", webhook_url=URL)
    succeeded(api_store, lease)
    fail_mails(api_store)
    [hook] = api_store.claim_webhooks(9, 60, 10_000, 9, {})
    api_store.settle(hook, NoticeState.FAILED, "410 Gone")

    answer = again(client, lease.id)

    assert answer.status_code == 202
    Job.model_validate(answer.json)
    assert [note["state"] for note in answer.json["notifications"]] == ["pending"] * 5
    assert answer.json["notifications"][0]["last_error"] == "550 no such user", "until the next attempt"
    assert answer.json == client.get(f"/jobs/{lease.id}").json
    assert doorbells.rung == [(lease.id, "mail"), (lease.id, "webhooks")]
    assert len(api_store.claim_mails(50, 60)) == 4


def test_sent_notifications_are_not_sent_again(client, api_store, doorbells):
    lease = claimed(api_store, email="a@email.com b@email.com")
    second, first = sorted(api_store.claim_mails(50, 60), key=lambda notice: notice.to, reverse=True)
    api_store.settle(first, NoticeState.SENT)
    api_store.settle(second, NoticeState.FAILED, "550 no such user")

    answer = again(client, lease.id)

    assert answer.status_code == 202
    assert int(answer.headers["Retry-After"]) > 0, "the job goes on"
    assert [note["state"] for note in answer.json["notifications"]] == ["sent", "pending"]
    assert [notice.to for notice in api_store.claim_mails(50, 60)] == ["b@email.com"]


@pytest.mark.parametrize("state", [NoticeState.SENT, NoticeState.UNSUBSCRIBED])
def test_where_nothing_failed_there_is_nothing_to_send_again(client, api_store, doorbells, state):
    job_id = accepted(api_store, email="a@email.com")
    [notice] = api_store.claim_mails(50, 60)
    api_store.settle(notice, state)

    answer = again(client, job_id)

    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert answer.json["type"] == "urn:errand:move-refused"
    assert "The job (`accepted`) has no failed notification" in answer.json["detail"]
    assert doorbells.rung == []


def test_notifications_that_wait_for_another_attempt_are_due_at_once(client, api_store, doorbells):
    lease = claimed(api_store, email="a@email.com", webhook_url=URL)
    succeeded(api_store, lease)
    [hook] = api_store.claim_webhooks(9, 60, 10_000, 9, {})
    api_store.settle(hook, NoticeState.PENDING, "503", retry_after=600)
    for notice in api_store.claim_mails(50, 60):
        api_store.settle(notice, NoticeState.PENDING, "the server is away", retry_after=600)
    assert api_store.claim_mails(50, 60) == []

    answer = again(client, lease.id)

    assert answer.status_code == 202
    assert doorbells.rung == [(lease.id, "mail"), (lease.id, "webhooks")]
    assert sorted(notice.kind for notice in api_store.claim_mails(50, 60)) == ["receipt", "result"]
    assert len(api_store.claim_webhooks(9, 60, 10_000, 9, {})) == 1


def test_a_notification_that_is_being_sent_is_left_to_its_sender(client, api_store, doorbells):
    job_id = accepted(api_store, email="a@email.com")
    [notice] = api_store.claim_mails(50, 60)

    assert again(client, job_id).status_code == 409

    assert api_store.claim_mails(50, 60) == []
    assert doorbells.rung == []
    api_store.settle(notice, NoticeState.PENDING, "later", retry_after=600)
    [second] = again(client, job_id) and api_store.claim_mails(50, 60)
    assert again(client, job_id).status_code == 409, "the second attempt is under way"
    assert second.attempt == 2


def test_a_mail_that_a_release_before_this_one_has_in_hand_is_left_alone(client, api_store):
    job_id = accepted(api_store, email="a@email.com")
    api_store.claim_mails(50, 60)
    key = api_store.keys.job(job_id)
    note = json.loads(api_store.client.hget(key, "note:mail:receipt"))
    api_store.client.hset(key, "note:mail:receipt", json.dumps(note | {"attempts": 3}))

    assert again(client, job_id).status_code == 409


def test_a_mail_that_waits_for_its_share_of_the_hour_goes_on_waiting(client, settings, api_store):
    store = Store.connect(settings.model_copy(update={"mail_rate": 1}))
    accepted(api_store, email="a@email.com")
    waiting = accepted(api_store, email="a@email.com")
    assert len(store.claim_mails(50, 60)) == 1

    assert again(client, waiting).status_code == 409

    assert store.claim_mails(50, 60) == []
    store.client.close()


def test_a_job_without_notifications_has_nothing_to_send_again(client, api_store):
    assert again(client, accepted(api_store)).status_code == 409


@pytest.mark.parametrize("job_id", [UNKNOWN, "nonsense", "batch"])
def test_an_unknown_job_has_none(client, job_id):
    assert again(client, job_id).status_code == 404


def test_a_deleted_job_has_no_notifications(client, api_store):
    lease = claimed(api_store, email="a@email.com")
    ended(api_store, lease, Status.FAILED, '{"type":"E","message":"no"}')
    fail_mails(api_store)
    client.delete(f"/jobs/{lease.id}")

    assert again(client, lease.id).status_code == 404


def test_while_the_store_is_away_the_request_is_refused_with_503(client, api_store):
    job_id = accepted(api_store, email="a@email.com")
    api_store.go_away()

    assert again(client, job_id).status_code == 503
