"""Learns from trusted proxies (TRUSTED_PROXIES) who the client is, and under which address it asked.

`forwarding.py` reads the headers. Those of any other peer are dropped, so that no plug-in believes them either.
"""

from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from api.http.forwarding import HEADERS, NOT_SAID, Hop, hops_of_forwarded, hops_of_x_forwarded, ip_of
from api.http.problems import plain_problem, problem_answer
from api.http.public_path import WsgiApp
from errand.trust.networks import Network

CONTRADICTION: Final = (
    "`Forwarded` and `X-Forwarded-*` contradict each other: a proxy in front of the API sets one of them, and hands on "
    "the other as a client sent it. It must remove that one."
)
PORTS: Final = {"http": "80", "https": "443"}


class Client(NamedTuple):
    """The client as trusted proxies describe it."""

    address: str
    """Its IP address, UNKNOWN or NOT_SAID."""
    hop: Hop
    """What the outermost trusted proxy said of the client's request."""


class TrustedProxies:
    """A WSGI app that believes forwarding headers of peers in some networks, and of no others."""

    def __init__(self, app: WsgiApp, networks: Iterable[Network], *, takes_prefix: bool) -> None:
        """Wrap `app`. With `takes_prefix`, X-Forwarded-Prefix says below which path the client reaches the API."""
        self._app, self._networks, self._takes_prefix = app, tuple(networks), takes_prefix
        self._is_trusted = lru_cache(1024)(self._is_in_networks)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Write into the environment what trusted proxies say of the client."""
        if HEADERS.isdisjoint(environ):
            return self._app(environ, start_response)
        peer = environ.get("REMOTE_ADDR", "")
        if not self._is_trusted(peer):
            for header in HEADERS & environ.keys():
                del environ[header]
            return self._app(environ, start_response)
        found = [
            self._client(peer, hops) for hops in (hops_of_x_forwarded(environ), hops_of_forwarded(environ)) if hops
        ]
        if len(found) > 1 and _contradict(*found):
            status = HTTPStatus.BAD_REQUEST
            return problem_answer(plain_problem(status, status.phrase, CONTRADICTION))(environ, start_response)
        for client in reversed(found):
            self._write(client, environ)
        return self._app(environ, start_response)

    def _client(self, peer: str, hops: list[Hop]) -> Client:
        """Go from the peer outwards as long as each hop is trusted: the first that isn't is the client."""
        client = Client(NOT_SAID, hops[-1])
        for hop in reversed(hops):
            if not self._is_trusted(client.address or peer):
                break
            client = Client(hop.address, hop)
            if hop.address == NOT_SAID:
                break
        return client

    def _write(self, client: Client, environ: dict[str, Any]) -> None:
        if client.address != NOT_SAID:
            environ["REMOTE_ADDR"] = client.address
        if scheme := client.hop.scheme:
            environ["wsgi.url_scheme"] = scheme
        if host := client.hop.host:
            environ["HTTP_HOST"] = host
            name, _, port = host.rpartition(":") if host.rpartition(":")[2].isdigit() else (host, "", "")
            environ["SERVER_NAME"] = name
            environ["SERVER_PORT"] = port or PORTS[environ["wsgi.url_scheme"]]
        if self._takes_prefix and client.hop.prefix:
            environ["SCRIPT_NAME"] = client.hop.prefix

    def _is_in_networks(self, address: str) -> bool:
        ip = ip_of(address)
        return ip is not None and any(ip in network for network in self._networks)


def _contradict(one: Client, other: Client) -> bool:
    """Return whether two descriptions differ where both say something."""
    pairs = ((one.address, other.address), (one.hop.scheme, other.hop.scheme), (one.hop.host, other.hop.host))
    return any(first != second for first, second in pairs if first and second)
