"""The mail catcher of `make run`, as a process of its own, and what it keeps as the mailbox reads it."""

import asyncio
import mailbox
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope

from api.mailbox.contents import OpenedMail
from api.mailbox.folder import MailFolder
from api.mailbox.frames import framed
from errand.embedded.mail_catcher import MailCatcher
from errand.settings import Settings
from errand.store import DueNotification
from errand.trust.links import SignedLinks
from schemas.notifications import NoticeKind
from tests.support.letters import compose, send_letter
from workers.mail.sending.mailer import Mailer
from workers.mail.writing.letter import Letter
from workers.mail.writing.sample_notices import ID, sample, samples


class Catcher:
    """The catcher, started on a free port, with its lines as they come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "errand.embedded.mail_catcher", "--port", "0", "--maildir", str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.port = int(re.search(r"smtp://127\.0\.0\.1:(\d+)", self.line())[1])

    def line(self) -> str:
        return self.process.stdout.readline()

    def mails(self) -> list[mailbox.MaildirMessage]:
        return list(mailbox.Maildir(self.folder, create=False))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=10)
        return self.process.returncode, rest


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    catcher = Catcher(tmp_path / "deep" / "mail")
    yield catcher
    catcher.process.kill()
    catcher.process.communicate()


def composed(notice: DueNotification) -> Letter:
    settings = Settings(_env_file=None)
    return compose(notice, settings, SignedLinks(b"a secret of 32 bytes, no less...", settings.base_url))


def send(catcher: Catcher, subject: str, to: str = "name@email.com", text: str = "hello\n") -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "errand@localhost", to
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", catcher.port, timeout=10) as client:
        client.send_message(message)


def test_a_letter_of_the_mailer_is_kept_and_told_in_a_line(catcher):
    mailer = Mailer(f"smtp://127.0.0.1:{catcher.port}")

    send_letter(mailer, composed(sample(NoticeKind.RESULT, result="40")))

    assert catcher.line() == "mail to name@email.com: sum(30, 10): 40 - Your operation is complete! (556666)\n"
    [mail] = catcher.mails()
    assert mail["Delivered-To"] == "name@email.com"
    assert mail["Return-Path"] == "<errand@localhost>"
    assert mail["Message-ID"] == f"<{ID}.result@localhost>"
    assert b"The result is: 40\n" in mail.as_bytes()
    assert b"\r" not in mail.as_bytes()
    mailer.close()


def test_every_letter_of_the_mailer_can_be_read_in_the_mailbox(catcher):
    mailer = Mailer(f"smtp://127.0.0.1:{catcher.port}")
    folder = MailFolder(catcher.folder)

    for letter in map(composed, samples()):
        send_letter(mailer, letter)
        catcher.line()
        opened = OpenedMail(folder.listing().mails[0])

        assert opened.summary().subject == letter.subject
        assert opened.text.text().strip() == letter.text.strip()
        shown = framed(opened.html.text(), opened.files)
        assert "cid:" not in shown
        assert ("data:image/png;base64," in shown) is any(file.inline for file in letter.attachments)
        assert {file.name for file in opened.attachments} == {file.name for file in letter.attachments}
    mailer.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_even_in_the_middle_of_a_conversation_and_keeps_its_mails(catcher, how):
    send(catcher, "kept")
    with socket.create_connection(("127.0.0.1", catcher.port)) as client:
        client.recv(100)

        code, rest = catcher.stop(how)

    assert (code, rest) == (0, "mail to name@email.com: kept\n")
    second = Catcher(catcher.folder)
    send(second, "after the restart")
    assert len(second.mails()) == 2
    second.stop()


def test_it_survives_garbage(catcher):
    for garbage in (
        b"\0\xff\xfe\r\n" * 100,
        b"GET / HTTP/1.1\r\n\r\n",
        b"A" * 100_000 + b"\r\n",
        b"EHLO x\r\nMAIL FROM:<\xff>\r\nRCPT TO:<\xff\x1b[31m>\r\nDATA\r\n\xffSubject: \xff=?x?q?\x1b?=\r\n\r\n.\r\n",
        b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\nnever ends",
    ):
        with socket.create_connection(("127.0.0.1", catcher.port), timeout=5) as client:
            client.sendall(garbage)
            client.shutdown(socket.SHUT_WR)
            try:
                while client.recv(65_536):
                    pass
            except ConnectionResetError:
                pass

    send(catcher, "still there\x1b[2J")

    _, rest = catcher.stop()
    assert "still there" in rest.splitlines()[-1]
    assert "\x1b" not in rest
    assert "Traceback" not in rest


def test_a_mail_that_is_too_large_is_refused(catcher):
    with pytest.raises(smtplib.SMTPResponseException, match="552"):
        send(catcher, "large", text="x" * 60 + "\n" + ("x" * 70 + "\n") * 160_000)

    assert not catcher.mails()


def test_a_taken_port_is_told_in_a_sentence(catcher, tmp_path):
    command = [
        sys.executable,
        "-m",
        "errand.embedded.mail_catcher",
        "--port",
        str(catcher.port),
        "--maildir",
        str(tmp_path),
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)

    assert done.returncode == 2
    assert done.stderr.startswith("The mail catcher can't start: ")
    assert "Traceback" not in done.stderr


def test_it_does_not_turn_in_circles_while_it_waits(catcher):
    send(catcher, "awake")
    stat = Path(f"/proc/{catcher.process.pid}/status")
    if not stat.exists():
        pytest.skip("counts wake-ups in /proc, which only Linux has")

    def wake_ups() -> int:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", stat.read_text(), re.MULTILINE)[1])

    assert catcher.line()
    with socket.create_connection(("127.0.0.1", catcher.port), timeout=5) as client:
        client.recv(100)
        before = wake_ups()
        client.settimeout(1)
        with pytest.raises(TimeoutError):
            client.recv(100)

    assert wake_ups() - before < 5


@pytest.mark.parametrize("damage", ["deleted", "emptied"])
def test_a_folder_that_is_deleted_or_emptied_is_made_again(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    catcher = MailCatcher(folder)
    envelope = Envelope()
    envelope.original_content = b"Subject: x\r\n\r\n"

    for _ in range(2):
        shutil.rmtree(folder)
        if damage == "emptied":
            folder.mkdir()
        assert asyncio.run(catcher.handle_DATA(None, None, envelope)) == "250 Kept"
        assert len(MailFolder(folder).listing().mails) == 1


def test_a_mail_that_can_not_be_kept_is_tried_again(tmp_path: Path) -> None:
    catcher = MailCatcher(tmp_path / "mail")
    shutil.rmtree(tmp_path / "mail")
    (tmp_path / "mail").touch()
    envelope = Envelope()
    envelope.original_content = b"Subject: x\r\n\r\n"

    assert asyncio.run(catcher.handle_DATA(None, None, envelope)).startswith("451 ")
