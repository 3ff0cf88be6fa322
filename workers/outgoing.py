"""Sends one HTTP request to an address that a client wrote, and gives the answer: bounded in time and size.

Stands behind operations that ask others, such as `operations/fetch.py`. The connection goes to exactly the address
that `guard.py` has checked, whatever the name points to by then, while the certificate must be the name's; redirects
aren't followed, and no proxy of the environment stands between. It is an `asyncio` affair, for child processes.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import httpcore

from workers.guard import Guard, Target, guard

CONNECT_SECONDS: Final = 4.0
"""How long one of several addresses of a host may take to be connected to, before the next is tried."""


class CertificateRefused(Exception):
    """The host's certificate isn't valid for its name, so nothing was sent to it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. Header names are in lower case; `cut` tells that the body goes on."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool


async def request(
    method: str,
    target: Target,
    *,
    headers: Mapping[str, str],
    seconds: float,
    most: int,
    body: bytes = b"",
    guarded_by: Guard | None = None,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Ask `target` once; read at most `most` bytes of its answer's body, all within `seconds`.

    Raise AddressRefused, HostUnknown or CertificateRefused, which will be no better next time; ConnectionError or
    TimeoutError, which may be.
    """
    try:
        async with asyncio.timeout(seconds), _connection(target, guarded_by or guard(), context) as connection:
            return await _exchange(connection, _written(method, target, headers, body), most)
    except TimeoutError:
        raise TimeoutError(f"{target.host} didn't answer within {seconds:g} seconds.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as fault:
        raise _told(target, fault) from None


def _written(method: str, target: Target, headers: Mapping[str, str], body: bytes) -> httpcore.Request:
    """Write the request down from the checked parts: the address is not read a second time by other rules."""
    lines = {"Host": target.authority, "Connection": "close", "Accept-Encoding": "identity", **headers}
    if body:
        lines["Content-Length"] = str(len(body))
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    return httpcore.Request(method, url, headers=list(lines.items()), content=body or None)


@asynccontextmanager
async def _connection(
    target: Target, by: Guard, context: ssl.SSLContext | None
) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
    origin = httpcore.Origin(target.scheme.encode(), target.host.encode(), target.port)
    tls = context or _context() if target.scheme == "https" else None
    wire = _Pinned(by)
    try:
        yield httpcore.AsyncHTTPConnection(origin, ssl_context=tls, network_backend=wire)
    finally:
        await wire.aclose()


async def _exchange(connection: httpcore.AsyncHTTPConnection, written: httpcore.Request, most: int) -> Answer:
    response = await connection.handle_async_request(written)
    body = bytearray()
    async with aclosing(response.aiter_stream()) as chunks:  # type: ignore[type-var]  # a generator, whatever it says
        async for chunk in chunks:
            body += chunk
            if len(body) > most:
                break
    return Answer(response.status, _joined(response.headers), bytes(body[:most]), len(body) > most)


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        joined[key] = f"{joined[key]}, {text}" if key in joined else text
    return joined


def _told(target: Target, fault: Exception) -> Exception:
    """Say what went wrong, in a sentence, as one of the errors that `request` promises."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused(f"The certificate of {target.host} isn't valid for it: {cause.verify_message}.")
        cause = cause.__cause__ or cause.__context__
    if isinstance(fault, httpcore.TimeoutException):
        return TimeoutError(f"{target.host} didn't answer in time.")
    return ConnectionError(f"The connection to {target.host} failed: {str(fault) or type(fault).__name__}.")


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to the addresses the guard gives for a host, and to nothing else; the name is resolved once."""

    def __init__(self, by: Guard) -> None:
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


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
