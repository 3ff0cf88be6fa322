"""HTTP/1.1 without I/O: writes one request, parses the response, and explains what went wrong.

Next: `exchange.py`, which moves the bytes.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import h11
import httpcore

from errand.errors import PublicError
from workers.outbound.address_guard import ConnectionFailed, OutboundTarget

MAX_HEAD_BYTES: Final = 102_400
"""Maximum bytes of a response before its body, and of the framing of one chunk."""
FAULTS: Final = (httpcore.NetworkError, httpcore.TimeoutException, h11.ProtocolError)
"""What an exchange raises when the connection or the server fails; `explained` turns it into a sentence."""
_ERRNO: Final = re.compile(r"\[Errno -?\d+\] ")
"""What the system's sentences begin with."""


class CertificateRefused(PublicError):
    """The host's certificate isn't valid for its name, so nothing was sent to it."""


class HostLate(PublicError, TimeoutError):
    """The host didn't answer in time."""

    type = "TimeoutError"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A server's response. Header names are in lower case; `cut` means that not all of the body was read."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool


class HttpParser:
    """Writes the request and parses the response of one connection."""

    def __init__(self) -> None:
        """Begin before the request."""
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)

    def request(self, method: str, target: OutboundTarget, headers: Mapping[str, str], body: bytes) -> bytes:
        """Return the bytes of the request; raise h11.ProtocolError if it can't be written."""
        fields = {"Host": target.authority, "Connection": "close", "Accept-Encoding": "identity", **headers}
        if body:
            fields["Content-Length"] = str(len(body))
        head = h11.Request(method=method, target=target.path, headers=list(fields.items()))
        events: list[h11.Event] = [head, *([h11.Data(data=body)] if body else []), h11.EndOfMessage()]
        return b"".join(self._state.send(event) or b"" for event in events)

    def feed(self, data: bytes) -> None:
        """Take bytes from the server; none at its end of the connection."""
        if not data and self._state.their_state is h11.SEND_RESPONSE:
            raise h11.RemoteProtocolError("Server disconnected without sending a response.")
        self._state.receive_data(data)

    def next(self) -> h11.Response | h11.Data | type[h11.NEED_DATA] | None:
        """Return the response's head, the next part of its body, or None at its end; NEED_DATA: call `feed` first.

        Raises h11.RemoteProtocolError for what isn't HTTP.
        """
        event = self._state.next_event()
        while isinstance(event, h11.InformationalResponse):
            event = self._state.next_event()
        if isinstance(event, h11.Response | h11.Data) or event is h11.NEED_DATA:
            return event
        return None


def response_head(event: h11.Response) -> HttpResponse:
    """Return a response whose body is still to be read."""
    headers: dict[str, str] = {}
    for name, value in event.headers:  # h11 has lowered the names
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return HttpResponse(event.status_code, headers, b"", cut=True)


def explained(target: OutboundTarget, fault: Exception) -> Exception:
    """Return CertificateRefused, HostLate or ConnectionFailed with a sentence that says what went wrong."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused(f"The certificate of {target.host} isn't valid for it: {cause.verify_message}.")
        cause = cause.__cause__ or cause.__context__
    if isinstance(fault, httpcore.TimeoutException):
        return HostLate(f"{target.host} didn't answer in time.")
    reason = _ERRNO.sub("", str(fault)).rstrip(".") or type(fault).__name__
    return ConnectionFailed(f"The connection to {target.host} failed: {reason}.")


def late(target: OutboundTarget, seconds: float) -> HostLate:
    """Return the error for a response that didn't come within `seconds`."""
    return HostLate(f"{target.host} didn't answer within {seconds:g} seconds.")


@cache
def tls_context() -> ssl.SSLContext:
    """Return the context that trusts the certificate authorities of this machine (or of `SSL_CERT_FILE`)."""
    return ssl.create_default_context()
