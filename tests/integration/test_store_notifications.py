"""Mails in a real store: whose a mail is while it is being sent."""

from dataclasses import replace

from schemas.notifications import NoticeState
from tests.support.jobs import accepted


def due(store):
    [(_, moment)] = store.client.zrange(store.keys.notifications, 0, -1, withscores=True)
    return moment


def test_a_mail_that_is_held_stays_its_senders(store):
    accepted(store, email="name@email.com")
    [notice] = store.claim_mails(1, lease_seconds=10)
    first = due(store)

    assert store.hold(notice, lease_seconds=60)

    assert due(store) >= first + 49_000
    assert store.claim_mails(1, lease_seconds=10) == []


def test_a_mail_that_another_has_by_now_can_not_be_held(store):
    accepted(store, email="name@email.com")
    [overtaken] = store.claim_mails(1, lease_seconds=0)
    [notice] = store.claim_mails(1, lease_seconds=10)
    before = due(store)

    assert not store.hold(overtaken, lease_seconds=60)

    assert due(store) == before
    assert store.hold(notice, lease_seconds=60)


def test_a_mail_that_was_settled_or_never_was_can_not_be_held(store):
    accepted(store, email="name@email.com")
    [notice] = store.claim_mails(1, lease_seconds=10)
    store.settle(notice, NoticeState.SENT)

    assert not store.hold(notice, lease_seconds=60)
    assert not store.hold(replace(notice, id="00000000-0000-0000-0000-000000000000"), lease_seconds=60)
    assert store.client.zcard(store.keys.notifications) == 0


def test_a_letter_can_be_held_too(store):
    store.add_letter("00000000-0000-0000-0000-000000000001", "name@email.com", "testing", "Just testing")
    [notice] = store.claim_mails(1, lease_seconds=0)

    assert store.hold(notice, lease_seconds=60)

    assert store.claim_mails(1, lease_seconds=10) == []
