"""Decides which addresses may receive mail: all, or those in the domains that the operator allows (MAIL_ALLOW).

The API refuses other addresses in a request; the mail service checks again before it sends.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from schemas.address import as_host

NOT_ALLOWED: Final = "can't receive mail from this service; the allowed domains (MAIL_ALLOW) are %s"


@lru_cache(maxsize=8)
def parse_domains(text: str) -> tuple[str, ...]:
    """Parse MAIL_ALLOW: domains separated by commas, returned in lower case; raise ValueError for an invalid domain."""
    words = (word.strip() for word in text.split(","))
    return tuple("." * word.startswith(".") + as_host(word.removeprefix(".")) for word in words if word)


def is_allowed(address: str, domains: Sequence[str]) -> bool:
    """Return whether `address` is in one of `domains`: `example.com` is that domain, `.example.com` all below it."""
    host = address.rpartition("@")[2].lower()
    return not domains or any(host.endswith(each) if each.startswith(".") else host == each for each in domains)


def not_allowed_message(domains: Sequence[str]) -> str:
    """Say why an address is not allowed, with the first five of the allowed domains."""
    return NOT_ALLOWED % (", ".join(domains[:5]) + ("…" if len(domains) > 5 else ""))
