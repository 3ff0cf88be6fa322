"""`mail.send` as other services call it: the mails that it records in a real store, and those that it refuses."""

from types import SimpleNamespace

import pytest

from errand.errors import MailRefused
from errand.settings import Settings
from errand.store import DueNotification, Store
from schemas.notifications import NoticeKind
from workers.dependencies import WorkerStore
from workers.mail.service import Mail


def send(store: Store, *arguments, **settings) -> str:
    """Call it, without a mail service that sends anything; return the id."""
    ticked = []
    worker_store = WorkerStore(store, Settings(_env_file=None, **settings))
    letter_id = Mail.send(SimpleNamespace(store=worker_store, tick=lambda: ticked.append(1)), *arguments)
    assert ticked == [1]
    return letter_id


def recorded(store: Store, letter_id: str) -> DueNotification:
    [notice] = store.claim_mails(10, 60)
    assert (notice.kind, notice.id, notice.name) == (NoticeKind.LETTER, letter_id, "letter")
    return notice


def test_a_mail_is_recorded_as_it_was_asked_for(store):
    notice = recorded(store, send(store, "name@email.com", "testing", "Just testing"))

    assert (notice.to, notice.subject, notice.body) == ("name@email.com", "testing", "Just testing")


def test_a_domain_in_another_script_is_mailed_to_in_its_ascii_form(store):
    assert recorded(store, send(store, "name@bücher.example", "hello", "")).to == "name@xn--bcher-kva.example"


@pytest.mark.parametrize("odd", ["\ud800", 7, None, ["a", "b"], {"a": 1}], ids=repr)
def test_a_subject_and_a_text_of_any_kind_are_recorded(store, odd):
    letter = recorded(store, send(store, "name@email.com", odd, odd))

    assert letter.subject == letter.body == str(odd).replace("\ud800", "?")


@pytest.mark.parametrize(
    "to", ["name", "", "name@email.com\n", "name@email.com, other@email.com", "/etc/passwd", "=?utf-8?q?a?=@email.com"]
)
def test_an_invalid_address_is_refused_with_a_sentence_and_nothing_is_recorded(store, to):
    with pytest.raises(MailRefused, match="must be one e-mail address"):
        send(store, to, "testing", "Just testing")

    assert store.claim_mails(10, 60) == []


def test_a_domain_that_is_not_allowed_is_refused(store):
    with pytest.raises(MailRefused, match="MAIL_ALLOW"):
        send(store, "name@email.com", "testing", "Just testing", mail_allow="example.com,.example.org")

    assert store.claim_mails(10, 60) == []
    send(store, "name@mail.example.org", "testing", "Just testing", mail_allow="example.com,.example.org")


def test_an_unsubscribed_address_gets_no_letters_either(store):
    store.unsubscribe("Name@email.com")

    letter_id = send(store, "name@email.com", "testing", "Just testing")

    assert store.claim_mails(10, 60) == []
    assert '"unsubscribed"' in store.client.hget(f"{store.keys.prefix}letter:{letter_id}", "note:mail:letter")
