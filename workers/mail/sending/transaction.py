"""Hands one letter over on an open connection: MAIL, RCPT, DATA, and the answer that counts.

Stands at the end of step 6 of a job's life, under `mailer.py`. It does what `smtplib`'s own `sendmail` does, but tells
at which step the server said no, and has more patience with the answer to a whole letter, as RFC 5321 (4.5.3.2.6) asks:
who gives up too early there sends the letter twice.
"""

import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

MAIL, RCPT, DATA, LETTER = "MAIL", "RCPT", "DATA", "LETTER"
"""The steps; LETTER is the one after the final dot."""

_GOOD: Final = {MAIL: range(250, 251), RCPT: range(250, 252), DATA: range(354, 355), LETTER: range(200, 300)}
_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)


class NotTaken(Exception):
    """The server answered something else than yes: at which `step`, with which `code` and `text`."""

    def __init__(self, step: str, code: int, text: bytes) -> None:
        """Keep the answer. The code is -1 where what came was no answer at all."""
        super().__init__(step, code)
        self.step, self.code, self.text = step, code, text

    @property
    def understood(self) -> bool:
        """Tell whether it was a proper no, after which the conversation can go on."""
        return 400 <= self.code < 600 and self.code != 421

    @property
    def too_large(self) -> bool:
        """Tell whether a shorter letter to the same person may be taken (RFC 3463: 5.2.3 and 5.3.4; 552 by itself)."""
        return self.code == 552 or (500 <= self.code < 600 and self.text.startswith((b"5.2.3 ", b"5.3.4 ")))


class MailTransaction:
    """One letter on its way. `opened` tells whether the server has been told whom it is for."""

    def __init__(self, sender: str, to: str, mail: bytes) -> None:
        """Take the letter as bytes with CRLF at its line ends."""
        self._sender, self._to = sender, to
        self._mail = mail if mail.endswith(b"\r\n") else mail + b"\r\n"
        self.opened = False

    def hand_over(self, smtp: smtplib.SMTP, patience: float) -> None:
        """Return when the server took the letter; raise NotTaken, OSError, SMTPException.

        `patience` is in seconds, for the answer to the whole letter; the other answers have the connection's own time.
        """
        self.opened = False
        smtp.ehlo_or_helo_if_needed()
        size = [f"size={len(self._mail)}"] if smtp.has_extn("size") else []
        most = smtp.esmtp_features.get("size", "")
        if most.isdecimal() and 0 < int(most) < len(self._mail):
            # some that aren't told before break off in the middle, which looks as if it would go better next time
            raise NotTaken(MAIL, 552, f"5.3.4 The server takes {most} bytes, this mail has {len(self._mail)}".encode())
        _expect(MAIL, smtp.mail(self._sender, size))
        self.opened = True
        _expect(RCPT, smtp.rcpt(self._to))
        _expect(DATA, smtp.docmd("DATA"))
        with _time(smtp, patience):
            smtp.send(_LEADING_DOT.sub(b"..", self._mail) + b".\r\n")
            _expect(LETTER, smtp.getreply())


def _expect(step: str, answer: tuple[int, bytes]) -> None:
    if answer[0] not in _GOOD[step]:
        raise NotTaken(step, *answer)


@contextmanager
def _time(smtp: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """Wait so long for an answer. Where something is raised, nobody waits on this connection any more."""
    connection: Any = smtp.sock  # there is one, as the server has just answered on it
    usual = connection.gettimeout()
    connection.settimeout(seconds)
    yield
    connection.settimeout(usual)
