"""The links in mails: they lead to one job, or out of all mails, without an API key, because we signed them.

Stands at step 6 of a job's life: `workers/mail/writing/letter.py` writes them, `api/pages/job.py` and
`api/pages/unsubscribe.py` follow them. Who has such a link may do what it is for and nothing else, so each purpose
has a salt of its own.
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


class _Short(HMACAlgorithm):
    """HMAC-SHA-256 of which 136 bits are kept: a link should fit a line of a mail.

    The last byte is 0, so that every link ends in the letter A: mail programs that find links in plain text leave out
    a hyphen at the end.
    """

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Sign `value`. The caller compares signatures in constant time."""
        return super().get_signature(key, value)[:17] + b"\0"


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What a link to a job leads to, and until when (seconds since 1970)."""

    job_id: str
    expires: int


class SignedLinks:
    """Writes links and reads what is in them. All processes that share `secret` understand each other's."""

    def __init__(self, secret: bytes, base_url: str) -> None:
        """Write links below `base_url`, which has no slash at its end."""
        self._base_url = base_url
        self._jobs = _signer(secret, _JOB)
        self._addresses = _signer(secret, _UNSUBSCRIBE)

    def job(self, job_id: str, expires: int) -> str:
        """Give the address of a job's page; it leads there until `expires` (seconds since 1970)."""
        return f"{self._base_url}/view/{_signed(self._jobs, UUID(job_id).bytes + expires.to_bytes(_TIME_BYTES))}"

    def unsubscribe(self, address: str) -> str:
        """Give the address of the page on which the owner of a mail address ends all mails to it."""
        return f"{self._base_url}/unsubscribe/{_signed(self._addresses, address.encode())}"

    def opened(self, token: str) -> OpenedLink:
        """Read the end of a link to a job; raise LinkRefused if we never wrote it, LinkExpired if its time is over."""
        held = _verified(self._jobs, token)
        if len(held) != _ID_BYTES + _TIME_BYTES:
            raise LinkRefused()
        link = OpenedLink(str(UUID(bytes=held[:_ID_BYTES])), int.from_bytes(held[_ID_BYTES:]))
        if time.time() >= link.expires:
            raise LinkExpired()
        return link

    def job_of(self, token: str) -> str:
        """Do as `opened`, for the job's id alone."""
        return self.opened(token).job_id

    def address_of(self, token: str) -> str:
        """Read whose mails a link ends; raise LinkRefused if we never wrote it. Such a link does not expire."""
        return _verified(self._addresses, token).decode()


def _signer(secret: bytes, salt: bytes) -> Signer:
    if len(secret) < 16:
        raise ValueError("a secret that signs links has at least 16 bytes")
    return Signer(secret, salt, key_derivation="hmac", digest_method=sha256, algorithm=_Short(sha256))


def _signed(signer: Signer, held: bytes) -> str:
    return signer.sign(urlsafe_b64encode(held).rstrip(b"=")).decode()


def _verified(signer: Signer, token: str) -> bytes:
    """Give what a token holds. Base64 is read leniently, so that odd characters are looked for before."""
    if not _TOKEN.fullmatch(token):
        raise LinkRefused()
    try:
        text = signer.unsign(token)
    except BadSignature:
        raise LinkRefused() from None
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
