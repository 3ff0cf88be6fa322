"""Decides which hosts a server answers for, and reads the web origins whose pages may call it.

A browser sends the name that a page's address has. A page of a stranger can make its own name lead to this machine (DNS
rebinding), so a server that answers for any name lets that page in. An IP address in `Host` can't be misused so.
"""

import re
import socket
from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from schemas.hosts import ascii_host

ANY: Final = "*"
_HOST: Final = re.compile(r"(?P<name>\[[^\]]*\]|[^:\[\]]*)(?::[0-9]{0,5})?")
_NO_HOST: Final = re.compile(r"[\s\x00-\x20,*%<>\"'\\^`{|}]")
_NAME: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class TrustedHosts:
    """The host names for which a server answers, besides every IP address, `localhost` and this machine's name."""

    def __init__(self, names: Collection[str]) -> None:
        """Answer for these names; `.example.com` is every name below that domain, and `*` is every name."""
        own = {"", "localhost", socket.gethostname().lower()}
        self._exact = own | {name.lower() for name in names if not name.startswith(".")}
        self._below = (".localhost", *(name for name in names if name.startswith(".")))
        self._any = ANY in names

    def fault_of(self, header: str) -> str:
        """Return the sentence with which to refuse a request with this `Host`; an empty text if it is trusted."""
        if self.trusts(header):
            return ""
        return f"This server doesn't answer for the host {header[:80]!r}; TRUSTED_HOSTS names the hosts that it has."

    def trusts(self, header: str) -> bool:
        """Return whether to answer a request with this `Host`; without one it comes from no browser."""
        match = _HOST.fullmatch(header)
        if match is None:
            return False
        name = match["name"].lower().rstrip(".")
        return self._any or name in self._exact or name.endswith(self._below) or _is_address(name)


@lru_cache(maxsize=8)
def parse_hosts(text: str) -> tuple[str, ...]:
    """Parse TRUSTED_HOSTS: names separated by commas, returned in ASCII; raise ValueError for an invalid one."""
    return tuple(map(_trusted_host, filter(None, map(str.strip, text.split(",")))))


@lru_cache(maxsize=8)
def parse_origins(text: str) -> tuple[str, ...]:
    """Parse CORS_ORIGINS: origins separated by commas, returned as browsers write them; raise ValueError."""
    return tuple(origin_of(word.strip()) for word in text.split(",") if word.strip())


def origin_of(url: str) -> str:
    """Return the origin of a URL that has nothing else, as browsers write it: `https://app.example.com:8443`.

    Raises ValueError with a sentence that follows the setting's name.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if (
        not host
        or parts.scheme not in _DEFAULT_PORTS
        or url.rstrip("/") != f"{url.partition('://')[0]}://{parts.netloc}"
    ):
        raise ValueError(f"must be origins such as https://app.example.com, separated by commas; {url[:80]!r} is none")
    if "@" in parts.netloc:
        raise ValueError("must have no user and no password")
    name = f"[{ip_address(host)}]" if ":" in host else ascii_host(host)
    if _NO_HOST.search(name):
        raise ValueError(f"must be origins with the name of a host; {url[:80]!r} has none")
    return f"{parts.scheme}://{name}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")


def _trusted_host(word: str) -> str:
    """Return one of TRUSTED_HOSTS in ASCII; raise ValueError if no request could have it as its host."""
    name = ascii_host(word.removeprefix(".").removesuffix("."))
    if word == ANY or _is_address(name):
        return word
    if not _NAME.fullmatch(name):
        raise ValueError(
            "must be host names without scheme and port, such as errand.example.com, or .example.com for all names "
            f"below it, separated by commas; {word[:80]!r} is none"
        )
    return "." * word.startswith(".") + name


def _is_address(name: str) -> bool:
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
