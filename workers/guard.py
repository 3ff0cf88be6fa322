"""The address guard: where Errand may connect when a client names the place.

Stands before every connection to an address that a client wrote. A name is resolved here, once, and only addresses of
the public internet are given back; whoever connects takes one of these and never the name again, so that a name which
points elsewhere a moment later changes nothing. Next: `outgoing.py`, which connects.
"""

import asyncio
import re
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

from errand.errors import ErrandError
from errand.settings import Settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL: Final = 2048
"""Characters of an address."""

RESOLVERS: Final = 32
"""Names that are resolved at a time."""

_USUAL_PORTS: Final = {"http": 80, "https": 443}
_FIRST_FREE_PORT: Final = 1024
"""Below it live mail, remote shells and the like, which nobody speaks HTTP to; only 80 and 443 are open there."""

_NOT_PUBLIC: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by customers of one provider; Alibaba's metadata
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's host, which looks public
            "169.254.0.0/16",  # link-local; metadata of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocols; Oracle's metadata
            "192.0.2.0/24",
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
            "2001::/23",  # protocols, Teredo
            "2001:db8::/32",
            "2002::/16",  # 6to4: holds an IPv4 address
            "3fff::/20",
        ),
    )
)
_PUBLIC_V6: Final = IPv6Network("2000::/3")
"""All that is given to the public; loopback, local, mapped, NAT64 and multicast addresses lie outside of it."""

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?")
_HARMLESS = re.compile(r"[^\x00-\x20\x7f\\\ud800-\udfff]+")


class AddressRefused(ErrandError):
    """This address is not one that Errand connects to; name a public http:// or https:// address."""


class HostUnknown(ErrandError):
    """No name server knows this host; look for a typing mistake."""


@dataclass(frozen=True, slots=True)
class Target:
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


class Guard:
    """Tells which addresses may be connected to: public ones, and what the operator allows besides."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        """Allow these networks although they aren't public."""
        self._allowed = tuple(allowed)

    def permits(self, address: str) -> bool:
        """Tell whether this IP address may be connected to."""
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        if any(ip in network for network in self._allowed):
            return True
        if isinstance(ip, IPv6Address) and ip not in _PUBLIC_V6:
            return False
        return not any(ip in network for network in _NOT_PUBLIC)

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
def guard() -> Guard:
    """Give the guard that the settings ask for (`GUARD_ALLOW`); read once in each process, when first needed."""
    return Guard(ip_network(text) for text in Settings.load().guard_allow_list)


def target(url: str) -> Target:
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
    return Target(parts.scheme, host, port, path + query)


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
