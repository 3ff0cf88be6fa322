"""The one check of a webhook's URL, before anything is stored.

`workers/outbound/address_guard.py` decides whether Errand connects to it, when its name is resolved. Next:
`requests.py`.
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

MAX_LENGTH: Final = 2000
"""Maximum characters of a URL."""

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
# 80, 443 and 1024 to 65535: the ports that the guard allows
_PORT = (
    "(?:80|443|102[4-9]|10[3-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}"
    "|655[0-2][0-9]|6553[0-5])"
)
_ESCAPED = "%[0-9A-Fa-f]{2}"
_PATH = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|{_ESCAPED})*"
_QUERY = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|{_ESCAPED})*"

WEBHOOK_PATTERN: Final = rf"^https?://{_LABEL}(?:\.{_LABEL})*(?::{_PORT})?(?:/{_PATH})?(?:\?{_QUERY})?$"
"""A host name or an IPv4 address, optionally a port, a path and a query. No user, password or fragment."""

_ADDRESS = re.compile(WEBHOOK_PATTERN.removeprefix("^").removesuffix("$"))


def _checked(text: str) -> str:
    if len(text) > MAX_LENGTH or not _ADDRESS.fullmatch(text):
        raise ValueError(
            "must be an address like https://example.com/hook: http or https, a host, port 80, 443 or from 1024; no "
            f"user, no password, no fragment, nothing that must be escaped, at most {MAX_LENGTH} characters"
        )
    return text


WebhookUrl = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(_checked),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "maxLength": MAX_LENGTH,
            "pattern": WEBHOOK_PATTERN,
            "examples": ["https://example.com/hook"],
        }
    ),
]
"""A pydantic field that holds a webhook's URL."""
