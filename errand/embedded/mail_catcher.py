"""The mail catcher of `make run`: an SMTP server that delivers nothing and keeps every mail in a Maildir folder."""

import argparse
import asyncio
import contextlib
import logging
import mailbox
import signal
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

LARGEST_MAIL = 10 * 1024 * 1024
"""Bytes."""


class MailCatcher:
    """Stores mails; aiosmtpd calls its methods."""

    def __init__(self, folder: Path) -> None:
        """Store mails in `folder`, which is created if it does not exist."""
        self._folder = folder
        self._made()

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        """Store one mail, with its envelope in headers as mail servers write them, and print a line about it."""
        recipients = ", ".join(envelope.rcpt_tos)
        delivered = f"Return-Path: <{envelope.mail_from}>\nDelivered-To: {recipients}\n"
        try:
            self._made().add(delivered.encode("utf-8", "replace") + _with_plain_ends(envelope.original_content))
        except OSError as error:
            print(f"a mail can't be kept: {error}", flush=True)
            return f"451 The mail can't be kept now: {error.strerror}"
        with contextlib.suppress(OSError):  # stdout is closed; the mail is stored all the same
            print(f"mail to {_shown(recipients)}: {_shown(_subject(envelope.original_content))}", flush=True)
        return "250 Kept"

    def _made(self) -> mailbox.Maildir:
        """Return the folder, made again if the user has deleted or emptied it."""
        for name in ("tmp", "new", "cur"):
            (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        return mailbox.Maildir(self._folder)


async def serve(host: str, port: int, folder: Path) -> None:
    """Serve SMTP until SIGTERM or SIGINT."""
    loop, asked_to_stop = asyncio.get_running_loop(), asyncio.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(asked, asked_to_stop.set)
    catcher = MailCatcher(folder)
    options = {"hostname": "errand", "ident": "Errand's mail catcher", "enable_SMTPUTF8": True}
    server = await loop.create_server(lambda: SMTP(catcher, data_size_limit=LARGEST_MAIL, **options), host, port)
    bound = server.sockets[0].getsockname()[1]
    print(f"catching mail on smtp://{host}:{bound}, kept in {folder}", flush=True)
    await asked_to_stop.wait()
    server.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Catch mails and keep them in a Maildir folder.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1025, help="0 takes any free port")
    parser.add_argument("--maildir", type=Path, default=Path(".errand/mail"))
    arguments = parser.parse_args()
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd's: it reports every client that sends garbage
    try:
        asyncio.run(serve(arguments.host, arguments.port, arguments.maildir))
    except OSError as error:
        sys.stderr.write(f"The mail catcher can't start: {error}\n")
        sys.exit(2)


def _subject(mail: bytes) -> str:
    try:
        return str(message_from_bytes(mail[:65_536], policy=default)["subject"] or "(no subject)")
    except Exception:  # noqa: BLE001 -- the parser raises all kinds of errors on garbage; the mail is stored anyway
        return "(unreadable subject)"


def _with_plain_ends(mail: bytes) -> bytes:
    return mail.replace(b"\r\n", b"\n")


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:200]


if __name__ == "__main__":
    main()
