"""Signs webhooks as the Standard Webhooks specification requires, and reads the secrets for it (WEBHOOK_SECRET).

The workers sign; the API only needs to know whether there is a secret.
"""

import base64
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret."""


def new_secret() -> str:
    """Generate a secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def parse_keys(text: str) -> list[bytes]:
    """Parse secrets separated by spaces; raise ValueError with a sentence that does not reveal them."""
    return [_key(secret) for secret in text.split()]


def signatures(keys: Sequence[bytes], event_id: str, timestamp: int, body: bytes) -> str:
    """Sign a body with each key, for the header `webhook-signature`; receivers accept any one of the signatures."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(key, signed, "sha256") for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True) if secret.startswith(PREFIX) else b""
    except ValueError:
        key = b""
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"write each secret as {PREFIX} and the base64 of {SHORTEST} to {LONGEST} random bytes")
    return key
