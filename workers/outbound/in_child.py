"""Sends one HTTP request to an address that a client wrote, and gives the answer: bounded in time and size.

Stands behind operations that ask others, such as `operations/fetch.py`. The connection goes to exactly the address
that `address_guard.py` has checked, whatever the name points to by then, while the certificate must be the name's;
redirects aren't followed, and no proxy of the environment stands between. It is an `asyncio` affair, for child
processes; on the hub it is `on_hub.py`. Next: `http.py`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpcore

from workers.outbound.address_guard import AddressGuard, OutboundTarget, guard
from workers.outbound.http import CONNECT_SECONDS, HttpResponse, explained, headers_of, request_for, verifying


async def request(
    method: str,
    target: OutboundTarget,
    *,
    headers: Mapping[str, str],
    seconds: float,
    most: int,
    body: bytes = b"",
    guarded_by: AddressGuard | None = None,
    context: ssl.SSLContext | None = None,
) -> HttpResponse:
    """Ask `target` once; read at most `most` bytes of its answer's body, all within `seconds`.

    Raise AddressRefused, HostUnknown or CertificateRefused, which will be no better next time; ConnectionError or
    TimeoutError, which may be.
    """
    try:
        async with asyncio.timeout(seconds), _connection(target, guarded_by or guard(), context) as connection:
            return await _exchange(connection, request_for(method, target, headers, body), most)
    except TimeoutError:
        raise TimeoutError(f"{target.host} didn't answer within {seconds:g} seconds.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as fault:
        raise explained(target, fault) from None


@asynccontextmanager
async def _connection(
    target: OutboundTarget, by: AddressGuard, context: ssl.SSLContext | None
) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
    origin = httpcore.Origin(target.scheme.encode(), target.host.encode(), target.port)
    tls = context or verifying() if target.scheme == "https" else None
    wire = _Pinned(by)
    try:
        yield httpcore.AsyncHTTPConnection(origin, ssl_context=tls, network_backend=wire)
    finally:
        await wire.aclose()


async def _exchange(connection: httpcore.AsyncHTTPConnection, written: httpcore.Request, most: int) -> HttpResponse:
    response = await connection.handle_async_request(written)
    body = bytearray()
    async with aclosing(response.aiter_stream()) as chunks:  # type: ignore[type-var]  # a generator, whatever it says
        async for chunk in chunks:
            body += chunk
            if len(body) > most:
                break
    return HttpResponse(response.status, headers_of(response.headers), bytes(body[:most]), len(body) > most)


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to the addresses the guard gives for a host, and to nothing else; the name is resolved once."""

    def __init__(self, by: AddressGuard) -> None:
        self._guard = by
        self._wire = httpcore.AnyIOBackend()
        self._stream: httpcore.AsyncNetworkStream | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self._stream = await self._connected(host, port, timeout, local_address, socket_options)
        return self._stream

    async def aclose(self) -> None:
        """Close the connection, also one that httpcore never got because it was stopped in the middle of TLS."""
        if self._stream is not None:
            await self._stream.aclose()

    async def _connected(self, host: str, port: int, *options: Any) -> httpcore.AsyncNetworkStream:
        *firsts, last = await self._guard.checked_addresses_async(host, port)
        for address in firsts:
            try:
                return await self._wire.connect_tcp(address, port, CONNECT_SECONDS, *options[1:])
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # another address of the same host may answer
        return await self._wire.connect_tcp(last, port, *options)
