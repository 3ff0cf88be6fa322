"""Judges a mail server's reply: whose fault a refusal is, and whether it will pass (decision 11).

A job comes from `mailer.py`. The text of the reply is shown on the job.
"""

import os
import ssl
from typing import Final

from errand.errors import MailDeferred, MailRefused, MailServerAway
from workers.mail.sending.transaction import MAIL, UnexpectedReply

MAX_TEXT: Final = 200
"""Maximum characters shown of a server's reply."""

_OURS: Final = frozenset({530, 534, 535, 538})
"""Replies about our login, not about the mail: the operator can correct that, so the mail waits."""


def error_for(reply: UnexpectedReply) -> MailRefused | MailDeferred:
    """Return the error that a reply means for a mail.

    If the server wants no mail of our sender or login, the operator can correct that. The same goes for a reply that
    is not SMTP before the server knows the recipient. At MAIL only a size counts as a refusal of this mail.
    """
    text = reply_text(reply.code, reply.text)
    if reply.code in _OURS or reply.code == 421 or (reply.step == MAIL and not reply.too_large):
        return MailServerAway(text)
    return MailRefused(text, too_large=reply.too_large) if 500 <= reply.code < 600 else MailDeferred(text)


def reply_text(code: int, text: bytes | str) -> str:
    """Write a server's reply on one line."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return _one_line(f"{code if code > 0 else 'Not SMTP:'} {text}")


def failure_text(failure: Exception) -> str:
    """Write what happened to the connection on one line; an error of eventlet's has only a number."""
    number = getattr(failure, "errno", None)
    words = os.strerror(number) if number and not isinstance(failure, ssl.SSLError) else str(failure)
    return _one_line(f"{type(failure).__name__}: {words}")


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:MAX_TEXT].strip()
