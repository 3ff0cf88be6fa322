"""A connection to a mail server: smtplib's own, with a limit on the server's replies.

Used by `mailer.py`. smtplib reads on for as long as a line of a reply says that another follows. A server that never
ends its reply would fill the memory. It would stop every service of the process as well, since eventlet never
switches away from a socket that always has more to read.
"""

import smtplib
from typing import Final

MAX_REPLY: Final = 65_536
"""Maximum bytes of one reply, all of its lines together."""
MAX_LINE: Final = 8_192
"""Maximum bytes of one line, far more than RFC 5321 (4.5.3.1.5) allows."""


class PlainConnection(smtplib.SMTP):
    """A connection without TLS, or with STARTTLS."""

    def getreply(self) -> tuple[int, bytes]:
        """Return the code and the text of a reply; the code is -1 if it is not SMTP. Raises SMTPServerDisconnected."""
        if self.file is None and self.sock is not None:
            self.file = self.sock.makefile("rb")
        lines: list[bytes] = []
        left = MAX_REPLY
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
            line: bytes = self.file.readline(MAX_LINE + 1) if self.file else b""
        except OSError as fault:
            raise self._broken_off(f"Connection unexpectedly closed: {fault}") from None
        if not line:
            raise self._broken_off("Connection unexpectedly closed")
        if len(line) > MAX_LINE:
            raise self._broken_off("a line of the answer is too long")
        return line

    def _broken_off(self, why: str) -> smtplib.SMTPServerDisconnected:
        self.close()
        return smtplib.SMTPServerDisconnected(why)


class EncryptedConnection(PlainConnection, smtplib.SMTP_SSL):
    """A connection with TLS from the first byte."""
