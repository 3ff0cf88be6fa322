"""What a mail server's no means: whose fault it is, and whether it will pass (decision 11).

Stands at the end of step 6 of a job's life, beside `mailer.py`. What it says of it is shown on the job.
"""

import os
import ssl
from typing import Final

from errand.errors import MailDeferred, MailRefused, MailServerAway
from workers.mail.sending.transaction import MAIL, NotTaken

MAX_TOLD: Final = 200
"""Characters of what is told of a server's answer."""

_OURS: Final = frozenset({530, 534, 535, 538})
"""Answers about our login, not about the letter: the operator can mend it, so the letter waits."""


def verdict_on(answer: NotTaken) -> MailRefused | MailDeferred:
    """Judge a no to a letter.

    A sender or a login that the server doesn't want is ours to mend, and so is nonsense before it knows the recipient.
    Only a size is refused with the sender already: it was told then.
    """
    text = answered(answer.code, answer.text)
    if answer.code in _OURS or answer.code == 421 or (answer.step == MAIL and not answer.too_large):
        return MailServerAway(text)
    return MailRefused(text, too_large=answer.too_large) if 500 <= answer.code < 600 else MailDeferred(text)


def answered(code: int, answer: bytes | str) -> str:
    """Tell what the server answered, on one line."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return _one_line(f"{code if code > 0 else 'Not SMTP:'} {text}")


def told(failure: Exception) -> str:
    """Tell what happened to the connection, on one line; eventlet has only the number of an error."""
    number = getattr(failure, "errno", None)
    words = os.strerror(number) if number and not isinstance(failure, ssl.SSLError) else str(failure)
    return _one_line(f"{type(failure).__name__}: {words}")


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:MAX_TOLD].strip()
