"""The one check of a webhook's URL, before anything is stored.

`workers/outbound/address_guard.py` decides whether Errand connects to it, when its name is resolved. Next:
`requests.py`.
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

from schemas.hosts import ascii_host

MAX_LENGTH: Final = 2000
"""Maximum characters of a URL."""

# letters of every script: a class can't be negated and added to, so it lists the ASCII that isn't in it
_LETTER, _LETTER_OR_HYPHEN = r"[^\x00-/:-@\[-^`{-\x7f]", r"[^\x00-,./:-@\[-^`{-\x7f]"
_LABEL = rf"{_LETTER}(?:{_LETTER_OR_HYPHEN}{{0,61}}{_LETTER})?"
# 80, 443 and 1024 to 65535: the ports that the guard allows
_PORT = (
    "(?:80|443|102[4-9]|10[3-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}"
    "|655[0-2][0-9]|6553[0-5])"
)
_ESCAPED = "%[0-9A-Fa-f]{2}"
_PATH = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|{_ESCAPED})*"
_QUERY = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|{_ESCAPED})*"

WEBHOOK_PATTERN: Final = rf"^https?://{_LABEL}(?:\.{_LABEL})*(?::{_PORT})?(?:/{_PATH})?(?:\?{_QUERY})?$"
"""A host name of any script or an IPv4 address, optionally a port, path and query. No user, password or fragment."""

_ADDRESS = re.compile(WEBHOOK_PATTERN.removeprefix("^").removesuffix("$"))
_HOST: Final = re.compile(r"(?<=://)[^/:?]+")
_ASCII_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_ASCII_HOST: Final = re.compile(rf"{_ASCII_LABEL}(?:\.{_ASCII_LABEL})*")


def _checked(text: str) -> str:
    """Return the address with its host as DNS has it; an address in ASCII stays as it is."""
    address = _in_ascii(text) if len(text) <= MAX_LENGTH and _ADDRESS.fullmatch(text) else None
    if address is None or len(address) > MAX_LENGTH:
        raise ValueError(
            "must be an address like https://example.com/hook: http or https, a host, port 80, 443 or from 1024; no "
            f"user, no password, no fragment, nothing that must be escaped, at most {MAX_LENGTH} characters"
        )
    return address


def _in_ascii(address: str) -> str | None:
    if address.isascii():
        return address
    try:
        host = ascii_host(_HOST.findall(address)[0])
    except ValueError:
        return None
    return _HOST.sub(host, address, count=1) if _ASCII_HOST.fullmatch(host) else None


WebhookUrl = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(_checked),
    WithJsonSchema(
        {
            "type": "string",
            "format": "iri",
            "maxLength": MAX_LENGTH,
            "pattern": WEBHOOK_PATTERN,
            "examples": ["https://example.com/hook"],
        }
    ),
]
"""A pydantic field that holds a webhook's URL."""
