"""One attempt to deliver a mail: its result for every fault of the server, the operator or the letter."""

import json
from collections.abc import Iterator

import pytest

from errand.settings import Settings
from errand.store import DueNotification
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind, NoticeState
from tests.support.notifications import due
from tests.support.smtp import DROP, SmtpSink
from workers.mail import delivery as delivery_module
from workers.mail.delivery import Delivery, SendResult

JOB = "0192f3a4-1111-7222-8333-444455556666"
LINKS = SignedLinks(b"0123456789abcdef0123456789abcdef", "https://errand.test")
TABLE = json.dumps([{"n": n, "square": n * n} for n in range(5_000)])


@pytest.fixture
def settings(smtp_sink: SmtpSink) -> Settings:
    named = {"smtp_url": smtp_sink.url, "mail_from": "errand@errand.test", "public_url": "https://errand.test"}
    return Settings(_env_file=None, mail_timeout=2, mail_pause=1, mail_give_up=60, **named)


@pytest.fixture
def delivery(settings: Settings) -> Iterator[Delivery]:
    delivery = Delivery(settings)
    yield delivery
    delivery.close()


def notice(to: str = "name@email.com", result: str = "40", **fields) -> DueNotification:
    record = {"operation": "squares", "arguments": "{}", "result": result}
    return due(NoticeKind.RESULT, JOB, record, to=to, **fields)


def test_a_mail_that_is_taken_is_sent(delivery, smtp_sink):
    assert delivery.attempt(notice(), LINKS) == SendResult(NoticeState.SENT)
    assert [mail.message["Message-ID"] for mail in smtp_sink.messages] == [f"<{JOB}.result@errand.test>"]


@pytest.mark.parametrize("answer", ["552 5.3.4 Too big", "554 5.3.4 Too big"])
def test_a_mail_that_is_too_large_goes_again_at_once_without_its_files(delivery, smtp_sink, answer):
    sizes = iter([answer, None])
    smtp_sink.answers["DATA"] = lambda _: next(sizes)

    assert delivery.attempt(notice(result=TABLE), LINKS) == SendResult(NoticeState.SENT)

    [mail] = smtp_sink.messages
    assert (len(smtp_sink.arrived), smtp_sink.connections) == (2, 1)
    assert list(mail.message.iter_attachments()) == []
    assert "The link below leads to the whole result." in " ".join(mail.text.split())
    assert "https://errand.test/view/" in mail.text


def test_the_size_limit_that_a_server_announces_is_kept(smtp_sink, settings):
    smtp_sink.announced_bytes = 30_000
    delivery = Delivery(settings)

    assert delivery.attempt(notice(result=TABLE), LINKS) == SendResult(NoticeState.SENT)

    assert [command.split()[0] for command in smtp_sink.commands] == ["RSET", "MAIL", "RCPT", "DATA"]
    delivery.close()


@pytest.mark.parametrize("result", ["40", TABLE], ids=["without files", "with a file"])
def test_a_mail_that_is_too_large_without_files_too_fails_with_the_servers_words(delivery, smtp_sink, result):
    smtp_sink.answers["DATA"] = "552 5.2.2 Mailbox full"

    assert delivery.attempt(notice(result=result), LINKS) == SendResult(NoticeState.FAILED, "552 5.2.2 Mailbox full")

    assert len(smtp_sink.arrived) == (2 if result == TABLE else 1)


def test_a_mail_that_is_refused_for_another_reason_goes_nowhere_with_or_without_its_files(delivery, smtp_sink):
    smtp_sink.answers["DATA"] = "554 5.7.1 We want none of this"

    assert delivery.attempt(notice(result=TABLE), LINKS) == SendResult(
        NoticeState.FAILED, "554 5.7.1 We want none of this"
    )

    assert len(smtp_sink.arrived) == 1


def test_a_connection_that_ends_with_the_shorter_letter_is_tried_again_later(delivery, smtp_sink):
    answers = iter(["552 5.3.4 Too big", DROP])
    smtp_sink.answers["DATA"] = lambda _: next(answers)

    outcome = delivery.attempt(notice(result=TABLE), LINKS)

    assert (outcome.state, outcome.pause) == (NoticeState.PENDING, 1)


@pytest.mark.parametrize("allowed", ["elsewhere.test", ".email.com"])
def test_an_address_that_is_no_longer_allowed_gets_no_mail(smtp_sink, settings, allowed):
    delivery = Delivery(settings.model_copy(update={"mail_allow": allowed}))

    outcome = delivery.attempt(notice(), LINKS)

    assert outcome.state is NoticeState.FAILED
    assert outcome.error.startswith(
        "name@email.com can't receive mail from this service; the allowed domains (MAIL_ALLOW) are "
    )
    assert smtp_sink.connections == 0
    allowed_one = "name@elsewhere.test" if allowed == "elsewhere.test" else "name@mail.email.com"
    assert delivery.attempt(notice(to=allowed_one), LINKS) == SendResult(NoticeState.SENT)
    delivery.close()


@pytest.mark.parametrize(("attempt", "pause"), [(1, 1), (2, 2), (5, 16), (11, 600), (1000, 600)])
def test_pauses_double_up_to_ten_minutes(delivery, smtp_sink, attempt, pause):
    smtp_sink.answers["RCPT"] = "450 4.2.0 Greylisted"

    outcome = delivery.attempt(notice(attempt=attempt), LINKS)

    assert outcome == SendResult(NoticeState.PENDING, "450 4.2.0 Greylisted", pause)


def test_a_mail_is_given_up_after_mail_give_up_but_tried_once_more_before(delivery, smtp_sink):
    assert delivery.attempt(notice(age=61_000), LINKS).state is NoticeState.SENT
    smtp_sink.answers["RCPT"] = "450 4.2.0 Greylisted"

    outcome = delivery.attempt(notice(age=61_000), LINKS)

    assert outcome == SendResult(NoticeState.FAILED, "Given up after 60 s: 450 4.2.0 Greylisted")


def test_a_mail_that_can_not_be_made_waits_for_a_release_that_can(delivery, smtp_sink, monkeypatch):
    monkeypatch.setattr(delivery_module, "write_words", lambda *_, **__: 1 / 0)

    outcome = delivery.attempt(notice(), LINKS)

    assert (outcome.state, outcome.error) == (NoticeState.PENDING, "ZeroDivisionError")
    assert smtp_sink.connections == 0


def test_the_same_notice_is_the_same_mail_at_each_attempt(delivery, smtp_sink):
    for attempt in (1, 2):
        delivery.attempt(notice(attempt=attempt, result=TABLE), LINKS)

    first, second = smtp_sink.messages
    for part in ("Message-ID", "In-Reply-To", "Subject", "List-Unsubscribe"):
        assert first.message[part] == second.message[part]
    assert (first.text, first.html) == (second.text, second.html)
