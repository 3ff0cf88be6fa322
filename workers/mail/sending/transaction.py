"""Hands one mail over on an open connection: MAIL, RCPT, DATA, the content, and the server's reply to each.

A job comes from `mailer.py`. This does what smtplib's own `sendmail` does, but it says at which step the server
refused, and it waits longer for the reply to the content, as RFC 5321 (4.5.3.2.6) asks: a client that gives up too
early there sends the mail twice. Next: `smtp_replies.py`, which judges the replies.
"""

import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from workers.mail.writing.mime import OutgoingMail

MAIL, RCPT, DATA, CONTENT = "MAIL", "RCPT", "DATA", "CONTENT"
"""The steps; CONTENT is the one after the final dot."""

_GOOD: Final = {MAIL: range(250, 251), RCPT: range(250, 252), DATA: range(354, 355), CONTENT: range(200, 300)}
_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)


class UnexpectedReply(Exception):
    """The server did not say yes: at which `step`, with which `code` and `text`."""

    def __init__(self, step: str, code: int, text: bytes) -> None:
        """Keep the reply. The code is -1 if what came was not SMTP."""
        super().__init__(step, code)
        self.step, self.code, self.text = step, code, text

    @property
    def understood(self) -> bool:
        """Whether it was a proper refusal, after which the conversation can go on."""
        return 400 <= self.code < 600 and self.code != 421

    @property
    def too_large(self) -> bool:
        """Whether a smaller mail to the same person may be taken (552, or RFC 3463's 5.2.3 and 5.3.4)."""
        return self.code == 552 or (500 <= self.code < 600 and self.text.startswith((b"5.2.3 ", b"5.3.4 ")))


class MailTransaction:
    """The transfer of one mail. `opened` is true once the server has accepted MAIL, so that it may have the mail."""

    def __init__(self, mail: OutgoingMail) -> None:
        """Prepare the transfer."""
        self._mail_from, self._to = mail.mail_from, mail.to
        self._content = mail.content if mail.content.endswith(b"\r\n") else mail.content + b"\r\n"
        self.opened = False

    def hand_over(self, smtp: smtplib.SMTP, patience: float) -> None:
        """Return when the server has taken the mail; raise UnexpectedReply, OSError, SMTPException.

        `patience` is in seconds, for the reply to the content; the other replies have the connection's own timeout.
        """
        self.opened = False
        smtp.ehlo_or_helo_if_needed()
        _expect(MAIL, smtp.mail(self._mail_from, self._size_option(smtp)))
        self.opened = True
        _expect(RCPT, smtp.rcpt(self._to))
        _expect(DATA, smtp.docmd("DATA"))
        with _timeout(smtp, patience):
            smtp.send(_LEADING_DOT.sub(b"..", self._content) + b".\r\n")
            _expect(CONTENT, smtp.getreply())

    def _size_option(self, smtp: smtplib.SMTP) -> list[str]:
        """Return the SIZE option of MAIL, if the server knows it; raise UnexpectedReply for more than it takes."""
        size = len(self._content)
        limit = smtp.esmtp_features.get("size", "")
        if limit.isdecimal() and 0 < int(limit) < size:
            # some servers that get such a mail all the same hang up in the middle, which looks like a passing fault
            raise UnexpectedReply(MAIL, 552, f"5.3.4 The server takes {limit} bytes, this mail has {size}".encode())
        return [f"size={size}"] if smtp.has_extn("size") else []


def _expect(step: str, reply: tuple[int, bytes]) -> None:
    if reply[0] not in _GOOD[step]:
        raise UnexpectedReply(step, *reply)


@contextmanager
def _timeout(smtp: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """Wait up to `seconds` for a reply. If that raises, the connection is given up, so its timeout stays changed."""
    connection: Any = smtp.sock  # it is there, as the server has just replied on it
    usual = connection.gettimeout()
    connection.settimeout(seconds)
    yield
    connection.settimeout(usual)
