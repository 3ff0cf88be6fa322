"""The HTTP client of the soak test: it keeps one connection per API open, and opens one for each stream.

It uses the standard library, which costs a tenth of the CPU of other clients and shares this machine.
"""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.ports import LOCALHOST
from tests.support.sse import Message, told

PATIENCE = 40.0
"""Seconds that a response may take; no request asks for more than 30."""
IDLE = 20.0
"""Seconds after which an unused connection is replaced."""
GONE = (http.client.RemoteDisconnected, ConnectionError)
"""Errors of a connection that the server has closed in the meantime."""


Request = tuple[str, str, str | None, dict[str, str]]
"""Method, path, body, headers."""


class UnexpectedResponse(Exception):
    """A response that a healthy service would not give."""


@dataclass(frozen=True)
class ApiResponse:
    """The response to a call."""

    status: int
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


class HttpClient:
    """A client that calls one API process at a time; not thread-safe."""

    def __init__(self, ports: list[int]) -> None:
        """Call the APIs at these ports."""
        self._ports = ports
        self._open: dict[int, tuple[http.client.HTTPConnection, float]] = {}

    def connect(self) -> None:
        """Connect to each API now, because connections opened later would look like growth."""
        for number in range(len(self._ports)):
            self.call(number, "GET", "/healthz")

    def call(
        self, number: int, method: str, path: str, body: Any = None, expect: tuple[int, ...] = (200,), **headers: str
    ) -> ApiResponse:
        """Call this API; raise UnexpectedResponse on any other status. In names of `headers`, `_` stands for `-`."""
        port = self._ports[number % len(self._ports)]
        text = None if body is None else json.dumps(body)
        began = time.monotonic()
        try:
            status, content = self._ask(port, (method, path, text, _named(headers, text)))
        except (OSError, http.client.HTTPException) as fault:
            raise UnexpectedResponse(f"{method} {_shape(path)}: {type(fault).__name__} {fault}") from None
        answer = ApiResponse(status, content, time.monotonic() - began)
        if status not in expect:
            raise UnexpectedResponse(f"{method} {_shape(path)}: {status} {content[:300].decode(errors='replace')}")
        return answer

    @contextmanager
    def stream(self, number: int, path: str, patience: float) -> Iterator[Iterator[Message]]:
        """Read a stream of events; leaving the `with` closes the stream."""
        connection = http.client.HTTPConnection(LOCALHOST, self._ports[number % len(self._ports)], timeout=patience)
        with closing(connection):
            try:
                connection.request("GET", path)
                response = connection.getresponse()
            except (OSError, http.client.HTTPException) as fault:
                raise UnexpectedResponse(f"GET {_shape(path)}: {type(fault).__name__} {fault}") from None
            with closing(response):
                if response.status == 204:
                    yield iter(())
                elif response.status == 200:
                    yield told(iter(lambda: response.read1(65_536), b""))
                else:
                    raise UnexpectedResponse(f"GET {_shape(path)}: {response.status}")

    def close(self) -> None:
        """Close all connections."""
        for connection, _ in self._open.values():
            connection.close()

    def _ask(self, port: int, request: Request) -> tuple[int, bytes]:
        connection, used = self._open.pop(port, (None, 0.0))
        if connection is not None and time.monotonic() - used < IDLE:
            try:
                return self._ask_on(port, connection, request)
            except GONE:
                connection.close()
        elif connection is not None:
            connection.close()
        return self._ask_on(port, http.client.HTTPConnection(LOCALHOST, port, timeout=PATIENCE), request)

    def _ask_on(self, port: int, connection: http.client.HTTPConnection, request: Request) -> tuple[int, bytes]:
        connection.request(*request)
        response = connection.getresponse()
        content = response.read()
        self._open[port] = (connection, time.monotonic())
        return response.status, content


def _named(headers: Mapping[str, str], text: str | None) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return named if text is None else {"Content-Type": "application/json", **named}


def _shape(path: str) -> str:
    """Replace the ids in a path, so that faults of one sort are counted together."""
    return "/".join("…" if len(part) == 36 and part.count("-") == 4 else part for part in path.split("/"))
