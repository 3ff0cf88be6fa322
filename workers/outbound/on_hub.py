"""Sends one HTTP request from a greenthread to an address that a client wrote, and gives the answer: bounded in time.

Stands behind `workers/webhooks/service.py`, in the worker's own process: sockets and name servers are waited for on
the hub, beside everything else. The connection goes to exactly the address that `address_guard.py` has checked, the
certificate must be the name's, redirects aren't followed, and no proxy of the environment stands between. Next:
`http.py`.
"""

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpcore
from eventlet import Timeout, sleep

from workers.outbound.address_guard import AddressGuard, OutboundTarget
from workers.outbound.http import CONNECT_SECONDS, HttpResponse, explained, headers_of, request_for, verifying

LONGEST_HEAD = 65_536
"""Bytes an answer may have before its body."""
FAULTS = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)


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
    """Post `body` to `target` once, all within `seconds`; of the answer's body at most `most` bytes are read.

    What the answer is stands in its first line: when that is there, a body that doesn't come is no fault. Raise
    AddressRefused, HostUnknown, CertificateRefused, ConnectionError or TimeoutError.
    """
    request = request_for("POST", target, headers, body)
    answer: HttpResponse | None = None
    limit = Timeout(seconds)
    try:
        with _connection(target, _Pinned(guarded_by, most + LONGEST_HEAD), context) as connection:
            response = connection.handle_request(request)
            answer = HttpResponse(response.status, headers_of(response.headers), b"", cut=True)
            with suppress(*FAULTS):
                answer = _with_body(answer, response, most)
    except Timeout as over:
        if over is not limit:
            raise
        if answer is None:
            raise TimeoutError(f"{target.host} didn't answer within {seconds:g} seconds.") from None
    except FAULTS as fault:
        raise explained(target, fault) from None
    finally:
        limit.cancel()
    return answer


def _with_body(answer: HttpResponse, response: httpcore.Response, most: int) -> HttpResponse:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > most:
            break
    return HttpResponse(answer.status, answer.headers, bytes(body[:most]), len(body) > most)


@contextmanager
def _connection(
    target: OutboundTarget, wire: "_Pinned", context: ssl.SSLContext | None
) -> Iterator[httpcore.HTTPConnection]:
    origin = httpcore.Origin(target.scheme.encode(), target.host.encode(), target.port)
    tls = context or verifying() if target.scheme == "https" else None
    try:
        yield httpcore.HTTPConnection(origin, ssl_context=tls, network_backend=wire)
    finally:
        wire.close()


class _Pinned(httpcore.NetworkBackend):
    """Connects to the addresses the guard gives for a host, and to nothing else; the name is resolved once."""

    def __init__(self, by: AddressGuard, most: int) -> None:
        self._guard, self._most = by, most
        self._wire = httpcore.SyncBackend()
        self._stream: httpcore.NetworkStream | None = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        self._stream = self._connected(host, port, timeout, local_address, socket_options)
        return _Rationed(self._stream, self._most)

    def close(self) -> None:
        """Close the connection, also one that httpcore never got because it was stopped in the middle of TLS."""
        if self._stream is not None:
            self._stream.close()

    def _connected(self, host: str, port: int, *options: Any) -> httpcore.NetworkStream:
        *firsts, last = self._guard.checked_addresses(host, port)
        for address in firsts:
            try:
                return self._wire.connect_tcp(address, port, CONNECT_SECONDS, *options[1:])
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # another address of the same host may answer
        return self._wire.connect_tcp(last, port, *options)


class _Rationed(httpcore.NetworkStream):
    """Reads only so many bytes, and lets others have the hub before each: a socket that always has more never would."""

    def __init__(self, stream: httpcore.NetworkStream, left: int) -> None:
        self._stream, self._left = stream, left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        sleep(0)
        if self._left <= 0:
            raise httpcore.ReadError("the answer is too long")
        part = self._stream.read(min(max_bytes, self._left), timeout)
        self._left -= len(part)
        return part

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Rationed(self._stream.start_tls(ssl_context, server_hostname, timeout), self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
