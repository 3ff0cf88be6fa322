"""Reads what proxies say of the requests that they hand on: X-Forwarded-For, -Proto, -Host, -Prefix and Forwarded.

Whom to believe is decided in `trusted_proxies.py`. What isn't well formed counts as not said.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, NamedTuple
from urllib.request import parse_http_list

from errand.public_url import is_path

HEADERS: Final = frozenset(
    f"HTTP_{name}"
    for name in ("FORWARDED", "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST", "X_FORWARDED_PREFIX")
)
"""The headers, as keys of the WSGI environment."""
NOT_SAID: Final = ""
UNKNOWN: Final = "unknown"
"""The address of a client whose proxy doesn't know it, or hides it (RFC 7239, 6.2 and 6.3)."""
MAX_HOPS: Final = 32
"""Maximum proxies in a row that are looked at, from the nearest outwards."""

_HOST: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_PAIR: Final = re.compile(r"""\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;\s]*)\s*(?:;|$)""")
_PORT: Final = re.compile(r":(?:[0-9]{1,5}|_[A-Za-z0-9._-]+)$")


class Hop(NamedTuple):
    """What one proxy says of the request that it got. NOT_SAID where it says nothing."""

    address: str
    """The IP address that it got the request from, or UNKNOWN."""
    scheme: str = NOT_SAID
    host: str = NOT_SAID
    prefix: str = NOT_SAID
    """Path that it stripped."""


def hops_of_x_forwarded(environ: Mapping[str, Any]) -> list[Hop]:
    """Return the hops of X-Forwarded-*, the nearest last. A proxy that appends to one header may replace another."""
    names = ("FOR", "PROTO", "HOST", "PREFIX")
    addresses, schemes, hosts, prefixes = (_values(environ.get(f"HTTP_X_FORWARDED_{name}", "")) for name in names)
    if not (addresses or schemes or hosts or prefixes):
        return []
    hops = []
    for distance, address in enumerate(reversed(addresses[-MAX_HOPS:] or [""]), 1):
        said = [values[-min(distance, len(values))] if values else "" for values in (schemes, hosts, prefixes)]
        hops.append(_hop(address or UNKNOWN if addresses else NOT_SAID, *said))
    return hops[::-1]


def hops_of_forwarded(environ: Mapping[str, Any]) -> list[Hop]:
    """Return the hops of Forwarded (RFC 7239), the nearest last."""
    elements = parse_http_list(environ.get("HTTP_FORWARDED", ""))[-MAX_HOPS:]
    return [_element(element) for element in elements if element]


def ip_of(address: str) -> IPv4Address | IPv6Address | None:
    """Read an IP address; an IPv4 address inside an IPv6 one is that IPv4 address."""
    try:
        ip = ip_address(address)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


def _element(text: str) -> Hop:
    """Read one element of Forwarded, such as `for="[2001:db8::1]:4711";proto=https`."""
    pairs: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _PAIR.match(text, place)
        if match is None:
            return Hop(UNKNOWN)
        value = match[2]
        pairs[match[1].lower()] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        place = match.end()
    return _hop(pairs.get("for", NOT_SAID), pairs.get("proto", ""), pairs.get("host", ""), "")


def _hop(address: str, scheme: str, host: str, prefix: str) -> Hop:
    scheme, prefix = scheme.lower(), prefix.rstrip("/")
    return Hop(
        _address(address),
        scheme if scheme in ("http", "https") else NOT_SAID,
        host if _HOST.fullmatch(host) else NOT_SAID,
        prefix if is_path(prefix) else NOT_SAID,
    )


def _address(text: str) -> str:
    """Return the address in a node: with or without a port and brackets."""
    if text == NOT_SAID:
        return NOT_SAID
    bare = text if ip_of(text) else _PORT.sub("", text)
    ip = ip_of(bare.removeprefix("[").removesuffix("]"))
    return str(ip) if ip else UNKNOWN


def _values(text: str) -> list[str]:
    return [value.strip() for value in text.split(",")] if text.strip() else []
