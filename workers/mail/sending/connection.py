"""The connection to a mail server: smtplib's own, but what the server answers has an end.

Stands at the end of step 6 of a job's life, under `mailer.py`. smtplib reads an answer for as long as its lines say
that another one follows. A server that never ends would fill the memory, and as a socket that always has more never
lets eventlet switch, it would stop all services of the process. Next: `transaction.py`.
"""

import smtplib
from typing import Final

LONGEST_ANSWER: Final = 65_536
"""Bytes of one answer, all of its lines together."""
LONGEST_LINE: Final = 8_192
"""Bytes of one line, far more than RFC 5321 (4.5.3.1.5) allows."""


class PlainConnection(smtplib.SMTP):
    """A connection without TLS, or with STARTTLS."""

    def getreply(self) -> tuple[int, bytes]:
        """Give the code and the text of an answer, -1 for what isn't one; raise SMTPServerDisconnected."""
        if self.file is None and self.sock is not None:
            self.file = self.sock.makefile("rb")
        lines: list[bytes] = []
        left = LONGEST_ANSWER
        while True:
            line = self._line()
            lines.append(line[4:].strip())
            left -= len(line)
            if left < 0:
                raise self._broken_off("the answer is too long")
            if not line[:3].isdigit():
                return -1, b"\n".join(lines)
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)

    def _line(self) -> bytes:
        try:
            line: bytes = self.file.readline(LONGEST_LINE + 1) if self.file else b""
        except OSError as fault:
            raise self._broken_off(f"Connection unexpectedly closed: {fault}") from None
        if not line:
            raise self._broken_off("Connection unexpectedly closed")
        if len(line) > LONGEST_LINE:
            raise self._broken_off("a line of the answer is too long")
        return line

    def _broken_off(self, why: str) -> smtplib.SMTPServerDisconnected:
        self.close()
        return smtplib.SMTPServerDisconnected(why)


class EncryptedConnection(PlainConnection, smtplib.SMTP_SSL):
    """A connection with TLS from the first byte."""
