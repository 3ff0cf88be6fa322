"""Who is told, in a real store: each address by itself, of what the job names, unless its owner has unsubscribed."""

import json

import pytest

from errand.store import DueNotification, Store
from schemas.notifications import NoticeKind, NoticeState
from schemas.status import Status
from tests.support.jobs import accepted, claim, claimed, ended, expire, rescue, succeeded

ERROR = '{"type":"OSError","message":"no"}'
THREE = "a@email.com b@email.com c@email.com"
URL = "https://example.com/hook"


def due(store: Store) -> list[DueNotification]:
    return sorted(store.claim_mails(50, 60), key=lambda notice: notice.name)


def note(store: Store, job_id: str, name: str) -> dict:
    return json.loads(store.client.hget(store.keys.job(job_id), f"note:{name}"))


def names(store: Store, job_id: str) -> set[str]:
    return {field[5:] for field in store.client.hkeys(store.keys.job(job_id)) if field.startswith("note:")}


def settle_all(store: Store, state: NoticeState) -> None:
    for notice in [*due(store), *store.claim_webhooks(50, 60, 10_000, 50, {})]:
        store.settle(notice, state)


def test_each_address_has_notifications_of_its_own(store):
    lease = claimed(store, email=THREE)
    succeeded(store, lease)

    told = {(notice.name, notice.kind, notice.to) for notice in due(store)}

    assert told == {
        ("receipt", NoticeKind.RECEIPT, "a@email.com"),
        ("receipt-2", NoticeKind.RECEIPT, "b@email.com"),
        ("receipt-3", NoticeKind.RECEIPT, "c@email.com"),
        ("result", NoticeKind.RESULT, "a@email.com"),
        ("result-2", NoticeKind.RESULT, "b@email.com"),
        ("result-3", NoticeKind.RESULT, "c@email.com"),
    }


def test_one_address_that_is_refused_leaves_the_others_alone(store):
    job_id = accepted(store, email=THREE)
    first, second, third = due(store)

    store.settle(first, NoticeState.SENT)
    store.settle(second, NoticeState.FAILED, "550")
    store.settle(third, NoticeState.PENDING, "451", retry_after=0)

    states = [note(store, job_id, f"mail:{name}")["state"] for name in ("receipt", "receipt-2", "receipt-3")]
    assert states == ["sent", "failed", "pending"]
    assert [notice.name for notice in due(store)] == ["receipt-3"]
    assert store.hold(third, 60) is False, "each has a fence of its own"


def test_ten_addresses_cost_no_more_round_trips_than_one(store):
    lease = claimed(store, email=" ".join(f"n{n}@email.com" for n in range(10)))
    before = store.client.info("commandstats")["cmdstat_evalsha"]["calls"]

    succeeded(store, lease)
    notices = due(store)

    assert len(notices) == 20
    assert store.client.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 2


@pytest.mark.parametrize(
    ("status", "word", "kind"),
    [
        (Status.SUCCEEDED, "succeeded", "result"),
        (Status.FAILED, "failed", "failure"),
        (Status.CANCELLED, "cancelled", "cancelled"),
    ],
)
def test_what_a_job_does_not_name_is_told_by_no_channel(store, status, word, kind):
    silent = claimed(store, email="a@email.com", webhook_url=URL, notify=("accepted",))
    told = claimed(store, email="a@email.com", webhook_url=URL, notify=(word,))

    commits = [ended(store, lease, status, ERROR) for lease in (silent, told)]

    assert [commit.to_tell for commit in commits] == [(), ("mail", "webhooks")]
    assert names(store, silent.id) == {"mail:receipt"}
    assert names(store, told.id) == {f"mail:{kind}", f"webhook:{kind}"}


def test_an_end_that_no_worker_committed_is_told_as_the_job_names_it(store):
    quiet, loud = (
        claimed(store, email="a@email.com", max_attempts=1, notify=(word,)) for word in ("accepted", "failed")
    )
    for lease in (quiet, loud):
        expire(store, lease)

    rescue(store)
    cancelled = accepted(store, email="a@email.com", notify=("failed",))

    assert (names(store, quiet.id), names(store, loud.id)) == ({"mail:receipt"}, {"mail:failure"})
    assert store.cancel(cancelled).to_tell == ()


def test_a_job_that_tells_nobody_of_its_end_is_removed_in_time(store):
    lease = claimed(store, email="a@email.com", notify=("failed",))
    succeeded(store, lease, ttl=0)

    assert rescue(store).removed == 1


def test_a_record_of_before_there_were_lists_is_told_as_it_was(store):
    lease = claimed(store)
    store.client.hset(store.keys.job(lease.id), mapping={"email": "name@email.com", "mail": "on"})

    assert succeeded(store, lease).to_tell == ("mail",)
    [notice] = due(store)
    assert (notice.name, notice.to, notice.record.emails) == ("result", "name@email.com", ("name@email.com",))


def test_who_unsubscribed_gets_no_mail_from_then_on_and_others_do(store):
    job_id = accepted(store, email="a@email.com Na.Me@Email.com c@email.com")
    assert store.unsubscribe("na.me@email.COM")
    assert store.is_unsubscribed("NA.ME@email.com")

    told = [notice.to for notice in due(store)]

    assert told == ["a@email.com", "c@email.com"]
    assert note(store, job_id, "mail:receipt-2")["state"] == NoticeState.UNSUBSCRIBED
    assert store.client.zcard(store.keys.notifications) == 2, "it does not wait any more"


def test_who_unsubscribes_while_a_mail_waits_for_its_next_attempt_is_not_sent_it(store):
    job_id = accepted(store, email="a@email.com")
    [notice] = due(store)
    store.settle(notice, NoticeState.PENDING, "451 later", retry_after=0)

    store.unsubscribe("a@email.com")

    assert due(store) == []
    left = note(store, job_id, "mail:receipt")
    assert (left["state"], left["attempts"], left.get("last_error")) == ("unsubscribed", 1, None)


def test_who_comes_back_is_mailed_again(store):
    store.unsubscribe("a@email.com")
    assert not store.unsubscribe("A@email.com"), "it was so before"

    assert store.resubscribe("A@Email.com")
    assert not store.resubscribe("a@email.com")

    accepted(store, email="a@email.com")
    assert [notice.to for notice in due(store)] == ["a@email.com"]
    assert not store.is_unsubscribed("a@email.com")


def test_a_webhook_does_not_care_who_unsubscribed(store):
    store.unsubscribe("a@email.com")
    lease = claimed(store, email="a@email.com", webhook_url=URL)
    succeeded(store, lease)

    assert due(store) == []
    assert len(store.claim_webhooks(50, 60, 10_000, 50, {})) == 1


def test_a_letter_to_who_unsubscribed_ends_and_is_forgotten_in_time(store):
    store.unsubscribe("name@email.com")
    store.add_letter("letter", "name@email.com", "testing", "Just testing")

    assert due(store) == []
    assert json.loads(store.client.hget(store.keys.letter("letter"), "note:mail:letter"))["state"] == "unsubscribed"
    assert 0 < store.client.pttl(store.keys.letter("letter")) <= 86_400_000


def test_thousands_who_unsubscribed_hide_nobody_behind_them(store):
    store.unsubscribe("gone@email.com")
    for _ in range(3):
        accepted(store, email=" ".join(["gone@email.com"] * 400))
    accepted(store, email="there@email.com")

    [notice] = store.claim_mails(1, 60)

    assert notice.to == "there@email.com"
    assert store.client.zcard(store.keys.notifications) == 1


def test_the_secret_of_links_is_made_once_for_all(store, settings):
    other = Store.connect(settings)

    secret = store.link_secret()

    assert len(secret) == 32
    assert other.link_secret() == store.link_secret() == secret
    other.client.close()


class TestTellingOnceMore:
    def test_failed_notifications_begin_anew_and_keep_counting(self, store):
        job_id = accepted(store, email="a@email.com b@email.com")
        first, second = due(store)
        store.settle(first, NoticeState.FAILED, "550")
        store.settle(second, NoticeState.SENT)
        before = note(store, job_id, "mail:receipt")["since"]

        control = store.retry_notifications(job_id)

        assert (control.reply, control.status, control.to_tell) == ("done", "accepted", ("mail",))
        [notice] = due(store)
        assert (notice.name, notice.attempt) == ("receipt", 2)
        assert notice.since >= before
        assert not store.settle(first, NoticeState.SENT), "an attempt of before can't settle"
        assert store.retry_notifications(job_id).reply == "refused"

    def test_with_mail_switched_off_it_says_so(self, store, silent_store):
        job_id = accepted(store, email="a@email.com")
        settle_all(store, NoticeState.FAILED)

        assert silent_store.retry_notifications(job_id).to_tell == ()
        assert note(store, job_id, "mail:receipt")["state"] == "disabled"

    def test_a_webhook_is_told_the_end_it_was_to_be_told_though_the_job_ran_again(self, store):
        lease = claimed(store, webhook_url=URL)
        ended(store, lease, Status.FAILED, ERROR)
        settle_all(store, NoticeState.FAILED)
        store.retry(lease.id)
        [again] = claim(store)
        succeeded(store, again)
        settle_all(store, NoticeState.SENT)

        assert store.retry_notifications(lease.id).to_tell == ("webhooks",)

        [notice] = store.claim_webhooks(50, 60, 10_000, 50, {})
        assert (notice.name, notice.ending.status, notice.ending.error) == ("failure", "failed", ERROR)

    def test_a_mail_of_an_end_that_is_over_stays_as_it_is(self, store):
        lease = claimed(store, email="a@email.com", notify=("succeeded", "failed"))
        ended(store, lease, Status.FAILED, ERROR)
        settle_all(store, NoticeState.FAILED)
        store.retry(lease.id)
        assert store.retry_notifications(lease.id).reply == "refused", "it runs"
        [again] = claim(store)
        succeeded(store, again)
        settle_all(store, NoticeState.FAILED)

        assert store.retry_notifications(lease.id).reply == "done"

        assert [notice.name for notice in due(store)] == ["result1"]

    def test_a_mail_that_an_earlier_release_recorded_is_told_once_more(self, store):
        lease = claimed(store, email="a@email.com", notify=("failed",))
        ended(store, lease, Status.FAILED, ERROR)
        settle_all(store, NoticeState.FAILED)
        kept = note(store, lease.id, "mail:failure")
        del kept["ending"]
        changes = {"note:mail:failure": json.dumps(kept), "retries": "2"}
        store.client.hset(store.keys.job(lease.id), mapping=changes)

        assert store.retry_notifications(lease.id).reply == "done"

        [notice] = due(store)
        assert (notice.name, notice.record_at_end.error) == ("failure", ERROR)

    def test_a_webhook_that_failed_before_endings_were_kept_is_told_only_if_it_is_still_so(self, store):
        lease = claimed(store, webhook_url=URL)
        ended(store, lease, Status.FAILED, ERROR)
        settle_all(store, NoticeState.FAILED)
        field = "note:webhook:failure"
        kept = note(store, lease.id, "webhook:failure")
        del kept["ending"]
        store.client.hset(store.keys.job(lease.id), field, json.dumps(kept))
        store.retry(lease.id)
        [again] = claim(store)
        ended(store, again, Status.FAILED, ERROR)
        settle_all(store, NoticeState.SENT)

        assert store.retry_notifications(lease.id).reply == "refused", "its own run is over"

    def test_a_job_is_kept_until_its_owner_was_told_once_more(self, store):
        lease = claimed(store, email="a@email.com")
        succeeded(store, lease, ttl=0)
        settle_all(store, NoticeState.FAILED)
        store.retry_notifications(lease.id)

        assert rescue(store).removed == 0
