"""One HTTP request to an address that a client wrote, and its response: resolve, check, connect, send, read.

Written once for both kinds of process. `in_child.py` awaits it on asyncio's event loop. `on_hub.py` runs it in a
greenthread, with a transport whose calls block that greenthread and never suspend the coroutine. The connection goes
to exactly the address that `address_guard.py` has checked, the certificate must be valid for the name, redirects
aren't followed, and proxies of the environment aren't used. Next: `http.py`, which knows the protocol.
"""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import h11
import httpcore

from workers.outbound.address_guard import AddressGuard, OutboundTarget, Resolve
from workers.outbound.http import MAX_HEAD_BYTES, HttpParser, HttpResponse, response_head, tls_context

CONNECT_SECONDS: Final = 4.0
"""Maximum time to connect to one of several addresses of a host before the next is tried."""
READ_BYTES: Final = 65_536
"""Maximum bytes of one read."""
MAX_BYTES_BEFORE_BODY: Final = MAX_HEAD_BYTES + 16_384
"""Maximum bytes read before the body: one head, and interim responses (1xx)."""
FRAMING: Final = 8
"""Maximum bytes read for each byte of the body: a chunk of one byte has six."""


@dataclass(frozen=True, slots=True)
class Transport:
    """How an exchange reaches name servers and hosts."""

    resolve: Resolve
    backend: httpcore.AsyncNetworkBackend


class Exchange:
    """A request and its response. `response` is set once the head has arrived, and has no body before the end."""

    def __init__(
        self, transport: Transport, guard: AddressGuard, target: OutboundTarget, context: ssl.SSLContext | None
    ) -> None:
        """Talk to `target` if `guard` permits it, with TLS as in `context` or else as this machine trusts."""
        self._transport, self._guard, self._target, self._context = transport, guard, target, context
        self.response: HttpResponse | None = None

    async def run(self, method: str, headers: Mapping[str, str], body: bytes, most: int) -> HttpResponse:
        """Send the request and return the response, with at most `most` bytes of its body.

        Raises AddressRefused, HostUnknown, ConnectionError, or one of `http.FAULTS`. The caller limits the time.
        """
        parser = HttpParser()
        request = parser.request(method, self._target, headers, body)
        stream = await self._connect()
        try:
            if self._target.scheme == "https":
                stream = await self._encrypt(stream)
            with suppress(httpcore.WriteError):  # a server that reads no further may have answered already
                await stream.write(request)
            return await self._read(stream, parser, most)
        finally:
            await stream.aclose()

    async def _connect(self) -> httpcore.AsyncNetworkStream:
        host, port, connect = self._target.host, self._target.port, self._transport.backend.connect_tcp
        *others, last = await self._guard.checked_addresses(host, port, self._transport.resolve)
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):  # the next address may answer
                return await connect(address, port, CONNECT_SECONDS)
        return await connect(last, port)

    async def _encrypt(self, stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
        context = self._context or tls_context()
        context.set_alpn_protocols(["http/1.1"])
        return await stream.start_tls(context, self._target.host)

    async def _read(self, stream: httpcore.AsyncNetworkStream, parser: HttpParser, most: int) -> HttpResponse:
        left, body = MAX_BYTES_BEFORE_BODY, bytearray()
        while (event := parser.next()) is not None and len(body) <= most:
            if isinstance(event, h11.Response):
                self.response = response_head(event)
                left += FRAMING * most
            elif isinstance(event, h11.Data):
                body += event.data
            elif left <= 0:
                raise httpcore.ReadError("the answer is too long")
            else:
                data = await stream.read(min(READ_BYTES, left))
                left -= len(data)
                parser.feed(data)
        if self.response is None:
            raise h11.RemoteProtocolError("Server sent no response.")
        return replace(self.response, body=bytes(body[:most]), cut=len(body) > most)
