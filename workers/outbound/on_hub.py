"""Sends one HTTP request from a greenthread of the worker's own process; bounded in time and size.

`workers/webhooks/sender.py` calls it. Sockets and name servers are waited for on the hub, so other greenthreads run
meanwhile. Next: `exchange.py`, whose calls block this greenthread only.
"""

import socket
import ssl
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import httpcore
from eventlet import Timeout, sleep

from workers.outbound.address_guard import AddressGuard, AddressInfo, OutboundTarget
from workers.outbound.exchange import Exchange, Transport
from workers.outbound.http import FAULTS, HttpResponse, explained, late

T = TypeVar("T")


def post(
    target: OutboundTarget,
    *,
    headers: Mapping[str, str],
    body: bytes,
    seconds: float,
    most: int,
    guarded_by: AddressGuard,
    context: ssl.SSLContext | None = None,
) -> HttpResponse:
    """Post `body` to `target` once, all within `seconds`; read at most `most` bytes of the response's body.

    The status decides, so a response whose head has arrived is returned even if its body fails. Raises AddressRefused,
    HostUnknown, CertificateRefused, ConnectionError or TimeoutError.
    """
    exchange = Exchange(Transport(resolve, _HubBackend()), guarded_by, target, context)
    limit = Timeout(seconds)
    try:
        return completed(exchange.run("POST", headers, body, most))
    except Timeout as over:
        if over is not limit:
            raise
        if exchange.response is None:
            raise late(target, seconds) from None
    except FAULTS as fault:
        if exchange.response is None:
            raise explained(target, fault) from None
    finally:
        limit.cancel()
    return exchange.response


def completed(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine whose calls block and never suspend it; return its result."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("A call of the hub's transport suspended its coroutine.")


async def resolve(host: str, port: int) -> list[AddressInfo]:
    """Resolve `host`; raises as `socket.getaddrinfo` does."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class _HubBackend(httpcore.AsyncNetworkBackend):
    """httpcore's blocking backend behind its awaitable interface."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _HubStream(httpcore.SyncBackend().connect_tcp(host, port, timeout, local_address, socket_options))


class _HubStream(httpcore.AsyncNetworkStream):
    """A blocking stream behind httpcore's awaitable interface."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- httpcore's signature
        sleep(0)  # a socket that always has more would never let the hub run others
        return self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- httpcore's signature
        self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        self._stream.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        return _HubStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
