"""One HTTP request to an address that a client wrote, and its answer: what is the same whoever waits for it.

Stands under `in_child.py`, which waits in a child process, and `on_hub.py`, which waits on the hub.
"""

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import httpcore

from workers.outbound.address_guard import OutboundTarget

CONNECT_SECONDS: Final = 4.0
"""How long one of several addresses of a host may take to be connected to, before the next is tried."""


class CertificateRefused(Exception):
    """The host's certificate isn't valid for its name, so nothing was sent to it."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What a server answered. Header names are in lower case; `cut` tells that the body goes on."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool


def request_for(method: str, target: OutboundTarget, headers: Mapping[str, str], body: bytes) -> httpcore.Request:
    """Write the request down from the checked parts: the address is not read a second time by other rules."""
    lines = {"Host": target.authority, "Connection": "close", "Accept-Encoding": "identity", **headers}
    if body:
        lines["Content-Length"] = str(len(body))
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    return httpcore.Request(method, url, headers=list(lines.items()), content=body or None)


def headers_of(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Give the headers of an answer, their names in lower case."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        joined[key] = f"{joined[key]}, {text}" if key in joined else text
    return joined


def explained(target: OutboundTarget, fault: Exception) -> Exception:
    """Say what went wrong, in a sentence, as CertificateRefused, TimeoutError or ConnectionError."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused(f"The certificate of {target.host} isn't valid for it: {cause.verify_message}.")
        cause = cause.__cause__ or cause.__context__
    if isinstance(fault, httpcore.TimeoutException):
        return TimeoutError(f"{target.host} didn't answer in time.")
    return ConnectionError(f"The connection to {target.host} failed: {str(fault).rstrip('.') or type(fault).__name__}.")


@cache
def verifying() -> ssl.SSLContext:
    """Give the context that believes whom this machine believes."""
    return ssl.create_default_context()
