"""What counts as the address of a webhook: the one check by form, before anything is stored.

Stands at step 1 of a job's life. Whether Errand connects to it is decided at step 6, when the name is resolved: that is
`workers/outbound/address_guard.py`. Next: `requests.py`.
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

MAX_LENGTH: Final = 2000
"""Characters of an address."""

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
# 80, 443 and those from 1024 to 65535: what the guard leaves open
_PORT = (
    "(?:80|443|102[4-9]|10[3-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}"
    "|655[0-2][0-9]|6553[0-5])"
)
_ESCAPED = "%[0-9A-Fa-f]{2}"
_PATH = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|{_ESCAPED})*"
_QUERY = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|{_ESCAPED})*"

WEBHOOK_PATTERN: Final = rf"^https?://{_LABEL}(?:\.{_LABEL})*(?::{_PORT})?(?:/{_PATH})?(?:\?{_QUERY})?$"
"""A host name or an IPv4 address, perhaps a port, a path, a query. No user, no password, no fragment."""

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
"""A pydantic field that holds one address; refused with a sentence otherwise."""
