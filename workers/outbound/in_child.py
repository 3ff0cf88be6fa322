"""Sends one HTTP request from a child process, on asyncio's event loop; bounded in time and size.

Operations that ask other servers, such as `operations/fetch.py`, call it. Next: `exchange.py`.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Final

import httpcore

from workers.outbound.address_guard import AddressGuard, AddressInfo, OutboundTarget, guard
from workers.outbound.exchange import Exchange, Transport
from workers.outbound.http import FAULTS, HttpResponse, explained, late

RESOLVERS: Final = 32
"""Names resolved at a time."""


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
    """Send one request to `target`; read at most `most` bytes of the response's body, all within `seconds`.

    Raises AddressRefused, HostUnknown or CertificateRefused, which another attempt won't mend; ConnectionError or
    TimeoutError, which it may.
    """
    exchange = Exchange(Transport(resolve, httpcore.AnyIOBackend()), guarded_by or guard(), target, context)
    try:
        async with asyncio.timeout(seconds):
            return await exchange.run(method, headers, body, most)
    except TimeoutError:
        raise late(target, seconds) from None
    except FAULTS as fault:
        raise explained(target, fault) from None


async def resolve(host: str, port: int) -> list[AddressInfo]:
    """Resolve `host` in a thread; raises as `socket.getaddrinfo` does."""
    lookup = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    return await asyncio.get_running_loop().run_in_executor(_resolvers(), lookup)


@cache
def _resolvers() -> ThreadPoolExecutor:
    """Return threads for name look-ups: a few dead names would occupy the smaller pool of the event loop."""
    return ThreadPoolExecutor(RESOLVERS, "resolver")
