"""The secrets that webhooks are signed with, and how: as Standard Webhooks say.

Stands at step 6 of a job's life, under `workers/webhooks/service.py`; the API only knows whether there is a secret.
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
    """Make a secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def parse_keys(text: str) -> list[bytes]:
    """Read one secret, or several with spaces between them; raise ValueError with a sentence that doesn't hold them."""
    return [_key(secret) for secret in text.split()]


def signatures(keys: Sequence[bytes], event_id: str, timestamp: int, body: bytes) -> str:
    """Sign a body with each key: what the header `webhook-signature` has. While keys change, either is enough."""
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
