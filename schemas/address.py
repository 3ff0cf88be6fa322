"""What counts as an e-mail address: the one check, for the API's bodies and for the mail workers alike.

Stands at both ends of a job's life: before it is accepted, and before anything is mailed. Next: `requests.py`.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

MAX_LENGTH = 254
"""Characters of the longest address that fits an SMTP command (RFC 3696, erratum 1690)."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

EMAIL_PATTERN = rf"^{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*$"
"""One plain address: dots and ASCII letters, `@`, a host name (`localhost` too). No quoted forms, no display names."""
MAX_MAILBOX = 64
"""Characters before the `@` (RFC 5321). The pattern could tell only by looking ahead, which not every reader of an
OpenAPI document can."""

# `$` alone would let one newline at the end pass; fullmatch does not.
_ADDRESS = re.compile(EMAIL_PATTERN.removeprefix("^").removesuffix("$"))


def is_address(text: str) -> bool:
    """Tell whether `text` is exactly one plain e-mail address, safe to put on an envelope and into a header."""
    mailbox = text.partition("@")[0]
    return len(text) <= MAX_LENGTH and len(mailbox) <= MAX_MAILBOX and _ADDRESS.fullmatch(text) is not None


def _checked(text: str) -> str:
    if not is_address(text):
        raise ValueError(f"must be one e-mail address like name@example.com, of at most {MAX_LENGTH} characters")
    return text


EmailAddress = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(_checked),
    WithJsonSchema(
        {
            "type": "string",
            "format": "email",
            "maxLength": MAX_LENGTH,
            "pattern": EMAIL_PATTERN,
            "examples": ["name@email.com"],
        }
    ),
]
"""A pydantic field that holds one address; refused with a sentence otherwise."""
