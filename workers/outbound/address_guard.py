"""The address guard: where Errand may connect when a client names the place.

Stands before every connection to an address that a client wrote. A name is resolved here, once, and only addresses of
the public internet are given back; whoever connects takes one of these and never the name again, so that a name which
points elsewhere a moment later changes nothing. Next: `in_child.py`, which connects.
"""

import asyncio
import re
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from ipaddress import IPv6Address
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

from errand.errors import ErrandError
from errand.settings import Settings
from errand.trust.networks import Networks

MAX_URL: Final = 2048
"""Characters of an address."""

RESOLVERS: Final = 32
"""Names that are resolved at a time."""

_USUAL_PORTS: Final = {"http": 80, "https": 443}
_FIRST_FREE_PORT: Final = 1024
"""Below it live mail, remote shells and the like, which nobody speaks HTTP to; only 80 and 443 are open there."""

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?")
_HARMLESS = re.compile(r"[^\x00-\x20\x7f\\\ud800-\udfff]+")


class AddressRefused(ErrandError):
    """This address is not one that Errand connects to; name a public http:// or https:// address."""


class HostUnknown(ErrandError):
    """No name server knows this host; look for a typing mistake."""


@dataclass(frozen=True, slots=True)
class OutboundTarget:
    """Where a request goes: what of its address counts, each part checked. `path` has the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host as the header `Host` has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _USUAL_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.scheme}://{self.authority}{self.path}"


class AddressGuard(Networks):
    """Resolves names, and gives only those addresses that may be connected to."""

    def checked_addresses(self, host: str, port: int) -> list[str]:
        """Resolve `host` once; give the IP addresses that may be connected to, at least one.

        Raise AddressRefused if there are only others, HostUnknown if there are none, ConnectionError if nobody could
        be asked.
        """
        try:
            return self._permitted(host, socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (socket.gaierror, UnicodeError) as fault:
            raise _unresolved(host, fault) from None

    async def checked_addresses_async(self, host: str, port: int) -> list[str]:
        """Do as `checked_addresses`, without holding up the event loop."""
        asked = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            return self._permitted(host, await asyncio.get_running_loop().run_in_executor(_resolvers(), asked))
        except (socket.gaierror, UnicodeError) as fault:
            raise _unresolved(host, fault) from None

    def _permitted(self, host: str, found: Sequence[tuple[Any, ...]]) -> list[str]:
        addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
        permitted = [address for address in addresses if self.permits(address)]
        if not permitted:
            raise AddressRefused(f"{host} is not on the public internet, so Errand doesn't connect to it.")
        return permitted


@cache
def _resolvers() -> ThreadPoolExecutor:
    """Give threads that wait for name servers: more than the loop's own, which a few dead names would keep busy."""
    return ThreadPoolExecutor(RESOLVERS, "resolver")


@cache
def guard() -> AddressGuard:
    """Give the guard that the settings ask for (`GUARD_ALLOW`); read once in each process, when first needed."""
    return AddressGuard(Settings.load().guard_allowed)


def target(url: str) -> OutboundTarget:
    """Take an address apart; raise AddressRefused with a sentence for all that isn't a plain one of the web."""
    if len(url) > MAX_URL or not _HARMLESS.fullmatch(url):
        raise AddressRefused(f"Write the address in at most {MAX_URL} characters, without spaces or backslashes.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, _plain_host(parts)
    except ValueError:  # a port that is no number, a bracket that stays open
        raise AddressRefused("This is no address; write it as https://example.com/path.") from None
    if parts.scheme not in _USUAL_PORTS or not host:
        raise AddressRefused("The address must begin with http:// or https:// and name a host.")
    if "@" in parts.netloc:
        raise AddressRefused("The address must not hold a user or a password.")
    port = _USUAL_PORTS[parts.scheme] if port is None else port
    if port not in _USUAL_PORTS.values() and port < _FIRST_FREE_PORT:
        raise AddressRefused(f"Port {port} is closed; 80, 443 and those from {_FIRST_FREE_PORT} are open.")
    path = quote(parts.path or "/", safe="%/:;,@!$&'()*+=~-._")
    query = f"?{quote(parts.query, safe='%/:;,@!$&()*+=~-._?[]')}" if parts.query else ""
    return OutboundTarget(parts.scheme, host, port, path + query)


def _plain_host(parts: SplitResult) -> str:
    """Give the host as ASCII; raise ValueError for what is none. Odd ways to write an IP address are left alone:
    what counts is what they resolve to.
    """
    host = parts.hostname or ""
    if "[" in parts.netloc:
        return str(IPv6Address(host)) if "%" not in host else ""
    plain = host.encode("idna").decode("ascii")
    if plain and not _HOST.fullmatch(plain):
        raise ValueError(plain)
    return plain


def _unresolved(host: str, fault: Exception) -> Exception:
    if isinstance(fault, socket.gaierror) and fault.errno == socket.EAI_AGAIN:
        return ConnectionError(f"The name server gave no answer about {host} this time.")
    return HostUnknown(f"No name server knows the host {host}; look for a typing mistake.")
