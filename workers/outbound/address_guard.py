"""The address guard: decides which addresses Errand may connect to when a client names a host.

A name is resolved once, and only addresses of the public internet are returned. The caller connects to one of these
addresses and never resolves the name again, so a name that points elsewhere a moment later changes nothing. Next:
`exchange.py`, which connects.
"""

import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

from errand.errors import PublicError
from errand.settings import Settings
from errand.trust.networks import Networks
from schemas.hosts import ascii_host

MAX_URL: Final = 2048
"""Maximum characters of an address."""

AddressInfo = tuple[Any, ...]
"""What `socket.getaddrinfo` lists; its last member begins with the IP address."""
Resolve = Callable[[str, int], Awaitable[Sequence[AddressInfo]]]
"""Resolves a host and a port; raises as `socket.getaddrinfo` does."""

_USUAL_PORTS: Final = {"http": 80, "https": 443}
_FIRST_FREE_PORT: Final = 1024
"""Ports below it belong to mail, remote shells and the like; of these only 80 and 443 are open."""

_HOST = re.compile(r"(?!-)(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_HARMLESS = re.compile(r"[^\x00-\x20\x7f\\\ud800-\udfff]+")


class AddressRefused(PublicError):
    """Errand doesn't connect to this address; name a public http:// or https:// address."""


class HostUnknown(PublicError):
    """No name server knows this host; check the spelling."""


class ConnectionFailed(PublicError, ConnectionError):
    """The host can't be reached now; try again later."""

    type = "ConnectionError"


@dataclass(frozen=True, slots=True)
class OutboundTarget:
    """Where a request goes: the checked parts of its address. `path` includes the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _USUAL_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.scheme}://{self.authority}{self.path}"


class AddressGuard(Networks):
    """Resolves names and returns only those addresses that Errand may connect to."""

    async def checked_addresses(self, host: str, port: int, resolve: Resolve) -> list[str]:
        """Resolve `host` once; return the IP addresses that Errand may connect to, at least one.

        Raises AddressRefused if the host has no such address, HostUnknown if it doesn't exist, ConnectionError if no
        name server answered.
        """
        try:
            return self._permitted(host, await resolve(host, port))
        except (socket.gaierror, UnicodeError) as fault:
            raise _unresolved(host, fault) from None

    def _permitted(self, host: str, found: Sequence[AddressInfo]) -> list[str]:
        addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
        permitted = [address for address in addresses if self.permits(address)]
        if not permitted:
            raise AddressRefused(f"{host} is not on the public internet, so Errand doesn't connect to it.")
        return permitted


@cache
def guard() -> AddressGuard:
    """Return the guard with the networks of `GUARD_ALLOW`; the settings are read once in each process."""
    return AddressGuard(Settings.load().allowed_networks)


def target(url: str) -> OutboundTarget:
    """Split an address into its parts; raise AddressRefused with a sentence if it isn't a plain web address."""
    if len(url) > MAX_URL or not _HARMLESS.fullmatch(url):
        raise AddressRefused(f"Write the address in at most {MAX_URL} characters, without spaces or backslashes.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, _plain_host(parts)
    except ValueError:  # a port that isn't a number, an unclosed bracket
        raise AddressRefused("This is not an address; write it as https://example.com/path.") from None
    if parts.scheme not in _USUAL_PORTS or not host:
        raise AddressRefused("The address must begin with http:// or https:// and name a host.")
    if "@" in parts.netloc:
        raise AddressRefused("The address must not contain a user or a password.")
    port = _USUAL_PORTS[parts.scheme] if port is None else port
    if port not in _USUAL_PORTS.values() and port < _FIRST_FREE_PORT:
        raise AddressRefused(f"Port {port} is closed; 80, 443 and those from {_FIRST_FREE_PORT} are open.")
    path = quote(parts.path or "/", safe="%/:;,@!$&'()*+=~-._")
    query = f"?{quote(parts.query, safe='%/:;,@!$&()*+=~-._?[]')}" if parts.query else ""
    return OutboundTarget(parts.scheme, host, port, path + query)


def _plain_host(parts: SplitResult) -> str:
    """Return the host as ASCII; raise ValueError if it isn't one. Odd spellings of an IP address are kept, as only the
    address they resolve to counts.
    """
    host = parts.hostname or ""
    if "[" in parts.netloc:
        return str(IPv6Address(host)) if "%" not in host else ""
    plain = ascii_host(host)
    if plain and not _HOST.fullmatch(plain):
        raise ValueError(plain)
    return plain


def _unresolved(host: str, fault: Exception) -> Exception:
    if isinstance(fault, socket.gaierror) and fault.errno == socket.EAI_AGAIN:
        return ConnectionFailed(f"The name server didn't answer for {host}.")
    return HostUnknown(f"No name server knows the host {host}; check the spelling.")
