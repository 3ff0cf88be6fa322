"""Signs and verifies the links in mails: to the page of a job, and to the page that ends all mails to an address.

`workers/mail` writes the links; `api/pages/job.py` and `api/pages/unsubscribe.py` open them. A link serves one purpose
only, so each purpose has its own salt.
"""

import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from itsdangerous import BadSignature, HMACAlgorithm, Signer

from errand.errors import LinkExpired, LinkRefused

_JOB, _UNSUBSCRIBE = b"errand.view", b"errand.unsubscribe"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,400}\.[A-Za-z0-9_-]{23}A")
_ID_BYTES, _TIME_BYTES = 16, 5


class _TruncatedHmac(HMACAlgorithm):
    """HMAC-SHA-256 truncated to 136 bits, so that a link fits on a line of a mail.

    The last byte is 0, so that every link ends in the letter A: some mail programs drop a hyphen at the end of a link
    in plain text.
    """

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Sign `value`. The caller compares signatures in constant time."""
        return super().get_signature(key, value)[:17] + b"\0"


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """The job that a link opens, and the time at which the link expires (seconds since 1970)."""

    job_id: str
    expires: int


class SignedLinks:
    """Writes and reads links. Processes with the same `secret` read each other's links."""

    def __init__(self, secret: bytes, base_url: str) -> None:
        """Write links below `base_url`, which has no slash at its end."""
        self._base_url = base_url
        self._jobs = _signer(secret, _JOB)
        self._addresses = _signer(secret, _UNSUBSCRIBE)

    def job(self, job_id: str, expires: int) -> str:
        """Return the URL of a job's page; it is valid until `expires` (seconds since 1970)."""
        return f"{self._base_url}/view/{_signed(self._jobs, UUID(job_id).bytes + expires.to_bytes(_TIME_BYTES))}"

    def unsubscribe(self, address: str) -> str:
        """Return the URL of the page on which the owner of a mail address ends all mails to it."""
        return f"{self._base_url}/unsubscribe/{_signed(self._addresses, address.encode())}"

    def opened(self, token: str) -> OpenedLink:
        """Read the token of a job's link; raise LinkRefused if its signature is wrong, LinkExpired if it is too old."""
        payload = _verified(self._jobs, token)
        if len(payload) != _ID_BYTES + _TIME_BYTES:
            raise LinkRefused()
        link = OpenedLink(str(UUID(bytes=payload[:_ID_BYTES])), int.from_bytes(payload[_ID_BYTES:]))
        if time.time() >= link.expires:
            raise LinkExpired()
        return link

    def job_of(self, token: str) -> str:
        """Return only the job id of a link; raise as `opened` does."""
        return self.opened(token).job_id

    def address_of(self, token: str) -> str:
        """Return the address of an unsubscribe link, which never expires; raise LinkRefused if it is not valid."""
        return _verified(self._addresses, token).decode()


def _signer(secret: bytes, salt: bytes) -> Signer:
    if len(secret) < 16:
        raise ValueError("a secret that signs links must have at least 16 bytes")
    return Signer(secret, salt, key_derivation="hmac", digest_method=sha256, algorithm=_TruncatedHmac(sha256))


def _signed(signer: Signer, payload: bytes) -> str:
    return signer.sign(urlsafe_b64encode(payload).rstrip(b"=")).decode()


def _verified(signer: Signer, token: str) -> bytes:
    """Return the payload of a token. The pattern is checked first, because Base64 decoding ignores odd characters."""
    if not _TOKEN.fullmatch(token):
        raise LinkRefused()
    try:
        text = signer.unsign(token)
    except BadSignature:
        raise LinkRefused() from None
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
