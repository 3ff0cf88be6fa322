"""Whom this Errand mails to: anybody, or who has an address in the domains that its operator allows (MAIL_ALLOW).

Stands at both ends of a job's life: the API refuses others with the body that names them, and the mail service asks
once more before it sends. Next: `store/notices.py`.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from schemas.address import as_host

NOT_ALLOWED: Final = "can't be mailed to from here; the domains that can (MAIL_ALLOW) are %s"


@lru_cache(maxsize=8)
def parse_domains(text: str) -> tuple[str, ...]:
    """Read MAIL_ALLOW: domains with commas between, in lower case; raise ValueError where one can be none."""
    words = (word.strip() for word in text.split(","))
    return tuple("." * word.startswith(".") + as_host(word.removeprefix(".")) for word in words if word)


def is_allowed(address: str, domains: Sequence[str]) -> bool:
    """Tell whether `address` is in one of the `domains`: `example.com` is that alone, `.example.com` all below it."""
    host = address.rpartition("@")[2].lower()
    return not domains or any(host.endswith(each) if each.startswith(".") else host == each for each in domains)


def not_allowed_message(domains: Sequence[str]) -> str:
    """Say what is wrong with an address that isn't; whoever must not know all of a long list reads its beginning."""
    return NOT_ALLOWED % (", ".join(domains[:5]) + ("…" if len(domains) > 5 else ""))
