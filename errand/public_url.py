"""Checks PUBLIC_URL, the address under which clients reach the API, and writes it as links in mails need it."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from schemas.hosts import ascii_host

_SPACE_OR_CONTROL: Final = re.compile(r"[\s\x00-\x1f\x7f\\]")
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*")
"""A path that is the same in a link, a header and a WSGI environment: nothing in it is ever percent-encoded."""
MAX_HOST: Final = 253
"""Characters of the longest host name (RFC 1035, 2.3.4)."""


def checked_public_url(url: str) -> str:
    """Return the URL with its host in ASCII and without a slash at the end; "" stays "".

    Raises ValueError with the sentence that follows the setting's name.
    """
    if not url:
        return ""
    if _SPACE_OR_CONTROL.search(url):
        raise ValueError("must have no spaces, backslashes or control characters")
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("must be a URL that starts with http:// or https://, such as https://example.org/errand")
    if "@" in parts.netloc:
        raise ValueError("must have no user and no password: everybody who gets a mail would read them")
    if "?" in url or "#" in url:
        raise ValueError("must have no query (?) and no fragment (#), as paths are added at its end")
    return f"{parts.scheme}://{_host(parts)}{_port(parts)}{_path(parts.path)}"


def is_path(path: str) -> bool:
    """Return whether a path is one that PUBLIC_URL may have, such as `/errand`; "" is one as well."""
    return _PATH.fullmatch(path) is not None


def path_of(url: str) -> str:
    """Return the path of a checked URL: `/errand` for `https://example.org/errand`; "" if it has none."""
    return urlsplit(url).path


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise ValueError("has a host that can't be read; an IPv6 address is written in brackets") from None


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if parts.netloc.startswith("["):
        try:
            return f"[{IPv6Address(host)}]"
        except ValueError:
            raise ValueError("has a host in brackets that is not an IPv6 address") from None
    try:
        host = ascii_host(host)
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host) or len(host) > MAX_HOST or not _is_possible(host):
        raise ValueError("has no valid host name")
    return host


def _is_possible(host: str) -> bool:
    """Return False for a host that ends in a number and is no IPv4 address: browsers open no such link."""
    if not host.rstrip(".").rpartition(".")[2].isdecimal():
        return True
    try:
        return bool(IPv4Address(host))
    except ValueError:
        return False


def _port(parts: SplitResult) -> str:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("has a port that is not a number from 1 to 65535")
    return f":{port}" if port else ""


def _path(path: str) -> str:
    path = path.rstrip("/")
    if not is_path(path):
        raise ValueError(
            "has a path with other characters than letters, digits, `-`, `.`, `_` and `~`, or with an empty "
            "segment, `.` or `..`; write one such as /errand"
        )
    return path
