"""The one check of an e-mail address, for the API's bodies and for the mail service.

Next: `recipients.py`.
"""

import re
from typing import Final

from schemas.hosts import ascii_host

MAX_LENGTH: Final = 254
"""Characters of the longest address that fits an SMTP command (RFC 3696, erratum 1690)."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MAILBOX = rf"{_ATOM}(?:\.{_ATOM})*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# the same, with all that isn't ASCII: a class can't be negated and added to, so it says what of ASCII isn't in it
_LETTER, _LETTER_OR_HYPHEN = r"[^\x00-/:-@\[-`{-\x7f]", r"[^\x00-,./:-@\[-`{-\x7f]"
_WORLDLY_LABEL = rf"{_LETTER}(?:{_LETTER_OR_HYPHEN}{{0,61}}{_LETTER})?"

EMAIL_PATTERN: Final = rf"^{_MAILBOX}@{_WORLDLY_LABEL}(?:\.{_WORLDLY_LABEL})*$"
"""One plain address: dots and ASCII letters, `@`, a host name of any script (`localhost` too). No quoted forms, no
display names. Which names of other scripts there can be, no pattern could tell."""
MAX_MAILBOX: Final = 64
"""Characters before the `@` (RFC 5321). The pattern could tell only by looking ahead, which not every reader of an
OpenAPI document can."""

NO_ADDRESS: Final = f"must be one e-mail address like name@example.com, of at most {MAX_LENGTH} characters"
FOREIGN_MAILBOX: Final = "must have ASCII characters only before its @: not every mail server takes others"
NO_HOST: Final = "has no valid host name behind its @"

# `$` alone would let one newline at the end pass; fullmatch does not.
_PLAIN: Final = re.compile(rf"{_MAILBOX}@{_LABEL}(?:\.{_LABEL})*")
_WORLDLY: Final = re.compile(EMAIL_PATTERN.removeprefix("^").removesuffix("$"))


def is_address(text: str) -> bool:
    """Return whether `text` is exactly one plain ASCII address, safe for an SMTP envelope and a header."""
    mailbox = text.partition("@")[0]
    if len(text) > MAX_LENGTH or len(mailbox) > MAX_MAILBOX or "=?" in mailbox:
        return False  # where `=?` begins an encoded word, some mail programs read what is in it
    return _PLAIN.fullmatch(text) is not None


def as_address(text: str) -> str:
    """Return an address as it is stored and sent: an international host name in the form that DNS uses (`xn--…`).

    Raises ValueError with a sentence that says what is wrong.
    """
    if is_address(text):
        return text
    mailbox, at, host = text.partition("@")
    if at and not mailbox.isascii():
        raise ValueError(FOREIGN_MAILBOX)
    if text.isascii() or len(text) > MAX_LENGTH or not _WORLDLY.fullmatch(text):
        raise ValueError(NO_ADDRESS)
    try:
        address = f"{mailbox}@{ascii_host(host)}"
    except ValueError:
        raise ValueError(NO_HOST) from None
    if not is_address(address):
        raise ValueError(NO_ADDRESS)
    return address


def as_host(text: str) -> str:
    """Return a host name in lower case and in the form that DNS uses; raise ValueError with a sentence if invalid."""
    host = ascii_host(text)
    if not is_address(f"name@{host}"):
        raise ValueError(f"{text[:80]!r} is no host name")
    return host
