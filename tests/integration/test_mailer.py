"""The mailer against a real mail server that behaves well, badly, or not at all."""

import base64
import json
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from email.headerregistry import Address
from time import monotonic

import pytest

from errand.errors import MailDeferred, MailRefused, MailServerAway, SettingsRefused
from errand.settings import Settings
from tests.conftest import missing
from tests.support.letters import send_letter
from tests.support.processes import ROOT
from tests.support.smtp import DROP, FLOOD, HANG, HAS_OPENSSL, Certificate, SmtpSink, once
from workers.mail.sending import mailer as mailer_module
from workers.mail.sending.mailer import Mailer
from workers.mail.writing.attachments import Attachment
from workers.mail.writing.letter import Letter
from workers.mail.writing.mail_from import read_mail_from

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # on purpose here

SENDER = "Errand <errand@errand.test>"
LETTER = Letter(
    mail_from=read_mail_from(SENDER),
    to="name@email.com",
    subject="Your operation is complete!",
    text="The result is: 40\n",
    html="<p>The result is: 40</p>\n",
    message_id="<1.result@errand.test>",
    in_reply_to="<1.receipt@errand.test>",
)
SECRET = "p@ss/word:1"
STAGES = ["CONNECT", "MAIL", "RCPT", "DATA"]


@pytest.fixture
def mailer(smtp_sink: SmtpSink) -> Iterator[Mailer]:
    mailer = Mailer(smtp_sink.url, timeout=5)
    yield mailer
    mailer.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    if not HAS_OPENSSL:
        missing("the openssl command is not installed (apt-get install openssl)")
    return Certificate.make(tmp_path_factory.mktemp("certificate"))


def with_login(sink: SmtpSink, user: str = "apikey", password: str = "p%40ss%2Fword%3A1", options: str = "") -> str:
    scheme, rest = sink.url.split("://")
    return f"{scheme}://{user}:{password}@{rest.rpartition('@')[2]}{options}"


def saw_password(sink: SmtpSink) -> bool:
    plain = base64.b64encode(f"\0apikey\0{SECRET}".encode())
    return any(form in sink.received for form in (SECRET.encode(), base64.b64encode(SECRET.encode()), plain))


# ---- what arrives


def test_a_letter_arrives_as_text_and_html_with_its_headers(mailer, smtp_sink):
    send_letter(mailer, LETTER)

    [mail] = smtp_sink.wait_for(1)
    assert (mail.sender, mail.recipients) == ("errand@errand.test", ["name@email.com"])
    assert (mail.text, mail.html) == (LETTER.text, LETTER.html)
    assert [part.get_content_type() for part in mail.message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    headers = {name: str(mail.message[name]) for name in mail.message}
    assert headers["From"] == SENDER
    assert headers["To"] == "name@email.com"
    assert headers["Subject"] == LETTER.subject
    assert headers["Message-ID"] == LETTER.message_id
    assert headers["In-Reply-To"] == headers["References"] == LETTER.in_reply_to
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert mail.message["Date"].datetime.tzinfo is not None


def test_a_text_that_is_the_path_of_a_readable_file_is_mailed_as_that_text(mailer, smtp_sink, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRET")

    send_letter(mailer, replace(LETTER, text=str(secret), html=str(secret)))

    [mail] = smtp_sink.wait_for(1)
    assert mail.text.strip() == mail.html.strip() == str(secret)
    assert len(list(mail.message.iter_parts())) == 2
    assert not list(mail.message.iter_attachments())
    assert b"TOPSECRET" not in mail.content


def test_a_style_sheet_named_in_a_letter_is_not_fetched(mailer, smtp_sink):
    with socket.create_server(("127.0.0.1", 0)) as trap:
        link = f'<link rel="stylesheet" href="http://127.0.0.1:{trap.getsockname()[1]}/style.css">\n'

        send_letter(mailer, replace(LETTER, text=link, html=link))

        [mail] = smtp_sink.wait_for(1)
        assert mail.html == link
        trap.settimeout(0)
        with pytest.raises(BlockingIOError):
            trap.accept()


@pytest.mark.parametrize(
    "text",
    [
        "é 漢字 💥\n",
        ".\n..\nFrom here\n.hidden\n",
        "x" * 20_000 + "\n",
        "ü" * 5_000 + "\n",
        "nul \0 escape \x1b[31m bell \a form \f feed \x85 \u2028\n",
        "--===============1==\n--\n",
        "=C3=A9 =\n=\n",
        "a\tb\t\n \n",
        "no line end",
        "trailing spaces  \n\n\n",
    ],
)
def test_any_text_arrives_as_it_was(mailer, smtp_sink, text):
    send_letter(mailer, replace(LETTER, text=text))

    [mail] = smtp_sink.wait_for(1)
    assert mail.text.rstrip("\n") == text.rstrip("\n")
    assert mail.content.isascii()
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998


def test_a_letter_without_html_is_one_text(mailer, smtp_sink):
    send_letter(mailer, replace(LETTER, html=None))

    [mail] = smtp_sink.wait_for(1)
    assert mail.message.get_content_type() == "text/plain"


def test_a_file_arrives_beside_text_and_html_byte_for_byte(mailer, smtp_sink):
    content = 'name,note\r\né,"a, b\r\nc"\r\n'.encode() + b"x" * 5_000 + b"\r\n"

    send_letter(mailer, replace(LETTER, attachments=(Attachment("csv_summary.csv", "text/csv", content),)))

    [mail] = smtp_sink.wait_for(1)
    assert (mail.text, mail.html) == (LETTER.text, LETTER.html)
    [file] = mail.message.iter_attachments()
    assert (file.get_content_type(), file.get_content_disposition()) == ("text/csv", "attachment")
    assert file.get_filename() == "csv_summary.csv"
    assert file.get_content_charset() == "utf-8"
    assert file.get_payload(decode=True) == content
    assert mail.content.isascii()
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998
    assert str(mail.message["Message-ID"]) == LETTER.message_id


def test_a_file_whose_name_or_content_is_a_path_reads_no_file(mailer, smtp_sink, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("TOPSECRET")

    send_letter(mailer, replace(LETTER, attachments=(Attachment(str(secret), "text/csv", str(secret).encode()),)))

    [mail] = smtp_sink.wait_for(1)
    [file] = mail.message.iter_attachments()
    assert file.get_payload(decode=True) == str(secret).encode()
    assert base64.b64encode(b"TOPSECRET") not in mail.content


def test_a_mail_with_a_file_of_the_largest_usual_size_arrives(mailer, smtp_sink):
    most = Settings(_env_file=None).mail_attachment_bytes

    send_letter(mailer, replace(LETTER, attachments=(Attachment("table.csv", "text/csv", b"x" * most),)))

    [mail] = smtp_sink.wait_for(1)
    [file] = mail.message.iter_attachments()
    assert len(file.get_payload(decode=True)) == most


def test_a_picture_is_sent_once_shown_by_the_html_and_offered_as_a_file(mailer, smtp_sink):
    picture = Attachment("histogram.png", "image/png", b"\x89PNG\r\n\x1a\nand so on", inline=True)
    html = f'<img src="cid:{picture.cid}" alt="">\n'

    send_letter(mailer, replace(LETTER, html=html, attachments=(picture,)))

    [mail] = smtp_sink.wait_for(1)
    parts = list(mail.message.walk())
    assert [part.get_content_type() for part in parts] == [
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
    ]
    shown = parts[-1]
    assert (shown["Content-ID"], shown.get_content_disposition()) == (f"<{picture.cid}>", "inline")
    assert [file.get_filename() for file in mail.message.iter_attachments()] == ["histogram.png"]
    assert shown.get_payload(decode=True) == picture.content
    assert mail.content.count(b"image/png") == 1


def test_the_headers_name_the_page_to_unsubscribe(mailer, smtp_sink):
    page = f"https://errand.test/unsubscribe/{'a' * 400}"

    send_letter(mailer, replace(LETTER, unsubscribe=page))

    [mail] = smtp_sink.wait_for(1)
    assert mail.message["List-Unsubscribe"] == f"<{page}>"
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"List-Unsubscribe: <{page}>".encode() in mail.content, "on one line, in no encoded words"


@pytest.mark.parametrize("text", ["a\rb\rc\n", "a\r\nb\r\nc\r\n", "a\rb\nc"])
def test_line_ends_of_any_kind_arrive_as_line_ends(mailer, smtp_sink, text):
    send_letter(mailer, replace(LETTER, text=text, html=text))

    [mail] = smtp_sink.wait_for(1)
    assert mail.text.split() == mail.html.split() == ["a", "b", "c"]
    assert mail.content.count(b"\r") == mail.content.count(b"\n") == mail.content.count(b"\r\n")


@pytest.mark.parametrize(
    "name", ["Errand", "Errand, Ltd. (jobs)", 'The "Errand"', "Grüße 💥", "=?utf-8?q?x=0D=0A?=", "é" * 15]
)
def test_a_sender_of_any_name_is_one_sender(mailer, smtp_sink, name):
    mail_from = read_mail_from(str(Address(name, addr_spec="errand@errand.test")))

    send_letter(mailer, replace(LETTER, mail_from=mail_from))

    [sender] = smtp_sink.wait_for(1)[0].message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (name, "errand@errand.test")


def test_long_ids_stay_readable_so_that_mails_find_their_thread(mailer, smtp_sink):
    long_id = f"<{'0' * 36}.receipt@{'mail.' * 12}example.com>"

    send_letter(mailer, replace(LETTER, in_reply_to=long_id))

    [mail] = smtp_sink.wait_for(1)
    assert f"In-Reply-To: {long_id}".encode() in mail.content


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, subject="hello\r\nBcc: victim@email.com"),
        replace(LETTER, subject="hello\rBcc: victim@email.com"),
        replace(LETTER, message_id="<1@x>\r\nBcc: victim@email.com"),
        replace(LETTER, to="name@email.com\n"),
        replace(LETTER, to="name@email.com\r\nRCPT TO:<victim@email.com>"),
        replace(LETTER, to="name@email.com,victim@email.com"),
        replace(LETTER, to="Name <name@email.com>"),
        replace(LETTER, to=f"{'a' * 300}@email.com"),
        replace(LETTER, to=""),
        replace(LETTER, text="\ud800"),
        replace(LETTER, attachments=(Attachment("a.csv\r\nBcc: victim@email.com", "text/csv", b""),)),
        replace(LETTER, attachments=(Attachment("a.csv", "text/csv\r\n\r\n", b""),)),
        replace(LETTER, unsubscribe="https://errand.test/\r\nBcc: victim@email.com"),
    ],
)
def test_a_letter_that_would_break_out_of_its_headers_is_refused_before_anything_is_sent(mailer, smtp_sink, letter):
    with pytest.raises(MailRefused):
        send_letter(mailer, letter)

    assert smtp_sink.connections == 0


# ---- one connection


def test_five_letters_take_one_connection(mailer, smtp_sink):
    for number in range(5):
        send_letter(mailer, replace(LETTER, message_id=f"<{number}@errand.test>"))

    mails = smtp_sink.wait_for(5)
    assert [mail.message["Message-ID"] for mail in mails] == [f"<{number}@errand.test>" for number in range(5)]
    assert smtp_sink.connections == 1


def test_a_connection_that_died_while_idle_is_replaced_at_once(mailer, smtp_sink):
    send_letter(mailer, LETTER)
    smtp_sink.hang_up()

    send_letter(mailer, LETTER)

    assert len(smtp_sink.messages) == 2
    assert smtp_sink.connections == 2


@pytest.mark.parametrize("answer", ["421 too many letters on this connection", "452 4.5.3 too many letters"])
def test_a_server_that_has_had_enough_of_a_connection_gets_another(mailer, smtp_sink, answer):
    send_letter(mailer, LETTER)

    smtp_sink.answers["MAIL"] = once(answer)
    send_letter(mailer, LETTER)

    assert len(smtp_sink.messages) == 2
    assert smtp_sink.connections == 2


def test_a_connection_that_was_idle_for_long_is_not_used_again(mailer, smtp_sink, monkeypatch):
    monkeypatch.setattr(mailer_module, "IDLE_SECONDS", -1.0)
    send_letter(mailer, LETTER)

    send_letter(mailer, LETTER)

    assert smtp_sink.connections == 2
    smtp_sink.wait_until(lambda: "QUIT" in smtp_sink.commands)


def test_a_letter_that_may_have_arrived_is_not_sent_again(mailer, smtp_sink):
    send_letter(mailer, LETTER)
    smtp_sink.drop_at = "DATA"

    with pytest.raises(MailDeferred):
        send_letter(mailer, LETTER)

    assert len(smtp_sink.messages) == 2
    assert smtp_sink.connections == 1


def test_closing_says_goodbye_and_the_mailer_can_be_used_again(mailer, smtp_sink):
    send_letter(mailer, LETTER)
    mailer.close()
    smtp_sink.wait_until(lambda: "QUIT" in smtp_sink.commands)

    send_letter(mailer, LETTER)
    assert smtp_sink.connections == 2


# ---- what goes wrong


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("450 4.2.0 come back later", MailDeferred),
        ("421 4.3.0 closing", MailDeferred),
        ("550 5.1.1 not here", MailRefused),
        ("552 5.3.4 too large", MailRefused),
        ("530 5.7.0 log in first", MailServerAway),  # ours to mend, not the letter's fault
    ],
)
def test_the_servers_answer_decides_and_is_told(mailer, smtp_sink, stage, answer, error):
    smtp_sink.answers[stage] = answer
    if stage == "MAIL" and not answer.startswith("552"):
        error = MailServerAway  # who may send is between the server and us

    with pytest.raises(error) as caught:
        send_letter(mailer, LETTER)

    assert caught.value.detail == answer


def test_an_open_connection_is_not_asked_whether_it_is_there(mailer, smtp_sink):
    for _ in range(3):
        send_letter(mailer, LETTER)

    assert [line.split()[0] for line in smtp_sink.commands] == ["MAIL", "RCPT", "DATA"] * 3


@pytest.mark.parametrize("happens", [DROP, "421 4.4.2 Idle for too long"])
def test_a_connection_that_ends_before_the_recipient_is_named_costs_nothing(mailer, smtp_sink, happens):
    send_letter(mailer, LETTER)
    smtp_sink.answers["MAIL"] = once(happens)

    send_letter(mailer, LETTER)

    assert (smtp_sink.connections, len(smtp_sink.messages)) == (2, 2)


def test_a_letter_that_is_larger_than_the_server_takes_is_not_even_begun(smtp_sink):
    smtp_sink.announced_bytes = 10_000
    mailer = Mailer(smtp_sink.url, timeout=5)

    with pytest.raises(MailRefused, match="The server takes 10000 bytes, this mail has ") as caught:
        send_letter(mailer, replace(LETTER, text="x " * 10_000))
    send_letter(mailer, LETTER)

    assert caught.value.fields["too_large"]
    assert (smtp_sink.connections, len(smtp_sink.messages)) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "too_large"),
    [
        ("552 5.3.4 Message too big", True),
        ("552 Too much mail data", True),
        ("554 5.3.4 Message too big", True),
        ("550 5.2.3 Message too long for this one", True),
        ("550 5.7.1 We want no 5.3.4 here", False),
        ("554 5.6.0 No", False),
    ],
)
def test_a_refusal_tells_whether_a_shorter_letter_may_be_taken(mailer, smtp_sink, answer, too_large):
    smtp_sink.answers["DATA"] = answer

    with pytest.raises(MailRefused) as caught:
        send_letter(mailer, LETTER)

    assert caught.value.fields["too_large"] is too_large


def test_a_refusal_holds_whatever_the_server_does_next(mailer, smtp_sink):
    smtp_sink.answers["RCPT"] = "550 5.1.1 not here"
    smtp_sink.drop_at = "RSET"
    with pytest.raises(MailRefused):
        send_letter(mailer, LETTER)
    smtp_sink.answers.clear()

    send_letter(mailer, LETTER)

    assert len(smtp_sink.messages) == 1


@pytest.mark.parametrize("stage", [*STAGES, "KEPT"])
@pytest.mark.parametrize("nonsense", ["HTTP/1.1 400 Bad Request", "", "250-", "354 Go on", FLOOD, "250 " + "x" * 9_000])
def test_nonsense_defers_and_nothing_more_is_said_on_that_connection(smtp_sink, stage, nonsense):
    mailer = Mailer(smtp_sink.url, timeout=0.3)
    smtp_sink.answers[stage] = once(nonsense)

    with pytest.raises(MailDeferred):
        send_letter(mailer, LETTER)
    send_letter(mailer, LETTER)

    assert smtp_sink.connections == 2
    assert len(smtp_sink.messages) == (2 if stage == "KEPT" else 1)


def test_a_letter_is_taken_with_any_answer_that_says_so(mailer, smtp_sink):
    smtp_sink.answers["KEPT"] = "251 queued, under another name"

    send_letter(mailer, LETTER)


def test_the_answer_to_a_whole_letter_is_waited_for_longer(smtp_sink):
    mailer = Mailer(smtp_sink.url, timeout=0.3)
    smtp_sink.delay = 0.6

    send_letter(mailer, LETTER)

    assert len(smtp_sink.messages) == 1


def test_a_refused_letter_does_not_cost_the_next_one_its_connection(mailer, smtp_sink):
    smtp_sink.answers["RCPT"] = "550 5.1.1 not here"
    with pytest.raises(MailRefused):
        send_letter(mailer, LETTER)
    smtp_sink.answers.clear()

    send_letter(mailer, LETTER)

    assert len(smtp_sink.messages) == 1
    assert smtp_sink.connections == 1


def test_a_greeting_that_turns_everybody_away_defers(mailer, smtp_sink):
    smtp_sink.answers["CONNECT"] = "554 no mail today"

    with pytest.raises(MailServerAway, match="554 no mail today"):
        send_letter(mailer, LETTER)


@pytest.mark.parametrize("stage", STAGES)
def test_a_silent_server_defers_within_the_timeout(smtp_sink, stage):
    mailer = Mailer(smtp_sink.url, timeout=0.3)
    smtp_sink.hang_at = stage
    started = monotonic()

    with pytest.raises(MailDeferred):
        send_letter(mailer, LETTER)

    assert monotonic() - started < 3
    smtp_sink.hang_at = None
    send_letter(mailer, replace(LETTER, message_id="<2@errand.test>"))
    assert smtp_sink.messages[-1].message["Message-ID"] == "<2@errand.test>"


@pytest.mark.parametrize("stage", STAGES)
def test_a_server_that_breaks_off_defers_at_once_and_leaves_nothing_behind(mailer, smtp_sink, stage):
    smtp_sink.drop_at = stage
    started = monotonic()

    with pytest.raises(MailDeferred):
        send_letter(mailer, LETTER)

    assert monotonic() - started < 3
    smtp_sink.drop_at = None
    send_letter(mailer, LETTER)
    smtp_sink.wait_for(2 if stage == "DATA" else 1)


def test_a_slow_server_is_waited_for(mailer, smtp_sink):
    smtp_sink.delay = 0.3

    send_letter(mailer, LETTER)

    assert len(smtp_sink.messages) == 1


def test_nobody_listening_defers():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # not listening, so whoever connects is refused
        mailer = Mailer(f"smtp://127.0.0.1:{bound.getsockname()[1]}")

        with pytest.raises(MailDeferred, match="refused"):
            send_letter(mailer, LETTER)


# ---- TLS and login


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_a_trusted_server_gets_user_and_password_as_they_were_meant(certificate, implicit):
    with SmtpSink(tls=certificate, implicit_tls=implicit, login=("apikey", SECRET)) as sink:
        mailer = Mailer(with_login(sink), context=certificate.for_client())

        send_letter(mailer, LETTER)
        send_letter(mailer, LETTER)

        assert sink.logins == [("apikey", SECRET)]
        assert len(sink.messages) == 2
        mailer.close()


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_a_certificate_nobody_vouches_for_defers_and_never_sees_the_password(certificate, implicit):
    with SmtpSink(tls=certificate, implicit_tls=implicit, login=("apikey", SECRET)) as sink:
        mailer = Mailer(with_login(sink), timeout=5)

        with pytest.raises(MailDeferred, match="CERTIFICATE_VERIFY_FAILED") as caught:
            send_letter(mailer, LETTER)

        assert not sink.logins
        assert not saw_password(sink)
        assert SECRET not in caught.value.detail


def test_a_certificate_of_another_host_defers(tmp_path, certificate):
    elsewhere = Certificate.make(tmp_path, "elsewhere.test")
    with SmtpSink(tls=elsewhere, login=("apikey", SECRET)) as sink:
        mailer = Mailer(with_login(sink), context=elsewhere.for_client())

        with pytest.raises(MailDeferred, match="mismatch"):
            send_letter(mailer, LETTER)

        assert not saw_password(sink)


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_a_certificate_that_has_expired_defers_and_says_so(tmp_path, implicit):
    expired = Certificate.make(tmp_path, expired=True)
    with SmtpSink(tls=expired, implicit_tls=implicit, login=("apikey", SECRET)) as sink:
        mailer = Mailer(with_login(sink), timeout=5, context=expired.for_client())

        with pytest.raises(MailServerAway, match="certificate has expired"):
            send_letter(mailer, LETTER)

        assert not sink.logins
        assert not saw_password(sink)


def test_a_server_that_begins_tls_with_something_else_defers(smtp_sink):
    mailer = Mailer(smtp_sink.url.replace("smtp:", "smtps:"), timeout=5)

    with pytest.raises(MailServerAway, match="SSL"):
        send_letter(mailer, LETTER)


@pytest.mark.parametrize("stage", STAGES)
def test_garbage_inside_of_tls_is_garbage(certificate, stage):
    with SmtpSink(tls=certificate, implicit_tls=True) as sink:
        mailer = Mailer(sink.url, timeout=5, context=certificate.for_client())
        sink.answers[stage] = once(FLOOD)

        with pytest.raises(MailDeferred, match="too long"):
            send_letter(mailer, LETTER)
        send_letter(mailer, LETTER)

        assert len(sink.messages) == 1


def test_a_server_without_tls_never_sees_the_password():
    with SmtpSink(login=("apikey", SECRET)) as sink:
        mailer = Mailer(with_login(sink))

        with pytest.raises(MailDeferred, match="STARTTLS"):
            send_letter(mailer, LETTER)

        assert not sink.logins
        assert not saw_password(sink)


def test_a_wrong_password_defers_because_the_operator_can_mend_it(certificate):
    with SmtpSink(tls=certificate, login=("apikey", "another")) as sink:
        mailer = Mailer(with_login(sink), context=certificate.for_client())

        with pytest.raises(MailDeferred, match="535"):
            send_letter(mailer, LETTER)


def test_tls_can_be_asked_for_without_a_user(certificate):
    with SmtpSink(tls=certificate) as sink:
        send_letter(Mailer(f"{sink.url}?starttls=1", context=certificate.for_client()), LETTER)
        with pytest.raises(MailDeferred, match="CERTIFICATE_VERIFY_FAILED"):
            send_letter(Mailer(f"{sink.url}?starttls=1"), LETTER)

        assert len(sink.messages) == 1


@pytest.mark.parametrize(
    "url",
    [
        "smtp://user@mail.test",
        "smtp://user:@mail.test",
        "smtp://:secret@mail.test",
        "smtp://us%0Aer:secret@mail.test",
        "smtp://user:s%C3%A9cret@mail.test",
        "smtp://",
        "smtp://mail.test:port",
        "smtp://mail.test:99999",
        "smtp://mail.test/path",
        "smtp://mail.test?timeout=1",
        "smtp://mail.test?starttls=maybe",
        "smtp://mail.test?starttls",
        "http://mail.test",
    ],
)
def test_settings_that_can_not_work_are_refused_at_once_and_nobody_is_prompted(url, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda *_: pytest.fail("asked for a password"))
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked for something"))

    with pytest.raises(SettingsRefused, match="SMTP_URL") as caught:
        Mailer(url)

    assert "secret" not in caught.value.detail


# ---- the process around it

ON_THE_HUB = """
from workers import green; green.monkey_patch()
import eventlet
import json, sys
from time import monotonic
from errand.errors import MailDeferred
from workers.mail.sending.mailer import Mailer
from workers.mail.writing.mime import OutgoingMail

gaps, last = [], monotonic()

def tick():
    global last
    while True:
        eventlet.sleep(0.01)
        gaps.append(monotonic() - last)
        last = monotonic()

eventlet.spawn(tick)
eventlet.sleep(0.05)
mailer, told = Mailer(sys.argv[1], timeout=0.5), []
for number in range(3):
    try:
        mailer.send(OutgoingMail("errand@errand.test", "name@email.com", b"hello"))
    except MailDeferred as fault:
        told.append(fault.detail)
eventlet.sleep(0.05)
print(json.dumps([told, max(gaps)]))
"""


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"CONNECT": FLOOD}, "the answer is too long"),
        ({"MAIL": FLOOD}, "the answer is too long"),
        ({"KEPT": FLOOD}, "the answer is too long"),
        ({"CONNECT": HANG}, "timed out"),
    ],
    ids=str,
)
def test_whatever_a_server_does_everything_else_in_the_process_goes_on(smtp_sink, answers, told):
    smtp_sink.answers = answers

    command = [sys.executable, "-W", "ignore", "-c", ON_THE_HUB, smtp_sink.url]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)

    faults, longest_gap = json.loads(run.stdout)
    assert [told in fault for fault in faults] == [True] * 3, faults
    assert longest_gap < 0.4


def test_nothing_is_printed_and_no_recipient_is_logged(mailer, capsys, caplog):
    caplog.set_level(logging.DEBUG)

    send_letter(mailer, LETTER)

    ours = [record.getMessage() for record in caplog.records if record.name != "mail.log"]  # that is the server
    assert not [line for line in ours if "name@email.com" in line]
    assert capsys.readouterr() == ("", "")


def test_importing_the_mailer_loads_nothing_that_reads_html_or_asks_for_passwords():
    heavy = {"lxml", "premailer", "cssutils", "keyring"}
    program = "import sys, workers.mail.sending.mailer; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert not heavy & set(loaded)


@pytest.mark.parametrize(
    ("machine", "domain", "greeting"),
    [
        ("mail1.example.com", "errand.test", "mail1.example.com"),
        ("8a1f0c9d2b7e", "errand.test", "errand.test"),
        ("laptop", "localhost", "[127.0.0.1]"),
    ],
)
def test_it_greets_the_server_by_a_name_and_only_without_any_by_an_address(
    smtp_sink, monkeypatch, machine, domain, greeting
):
    monkeypatch.setattr("socket.gethostname", lambda: machine)
    mailer = Mailer(smtp_sink.url, timeout=5, domain=domain)

    send_letter(mailer, LETTER)
    mailer.close()

    smtp_sink.wait_for(1)
    assert smtp_sink.greetings == {greeting}
