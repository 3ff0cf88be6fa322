"""HTTP as one client of the soak speaks it: a connection that stays open, and streams with one of their own.

Stands under `scenarios.py`. The standard library's client: it costs a tenth of others, and shares this machine.
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
"""Seconds an answer may take; the longest that is asked for is 30."""
IDLE = 20.0
"""Seconds after which a connection that was not used is opened anew."""
GONE = (http.client.RemoteDisconnected, ConnectionError)
"""What a connection is found to be when the server has closed it meanwhile."""


Request = tuple[str, str, str | None, dict[str, str]]
"""Method, path, body, headers."""


class UnexpectedResponse(Exception):
    """An answer that a healthy service would not give."""


@dataclass(frozen=True)
class HttpResponse:
    """What came back."""

    status: int
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class HttpClient:
    """One client of one API process at a time; not for several threads."""

    def __init__(self, ports: list[int]) -> None:
        """Speak to the APIs at these ports."""
        self._ports = ports
        self._open: dict[int, tuple[http.client.HTTPConnection, float]] = {}

    def connect(self) -> None:
        """Open a connection to each of them: what later calls would open one after the other looks like growth."""
        for number in range(len(self._ports)):
            self.call(number, "GET", "/healthz")

    def call(
        self, number: int, method: str, path: str, body: Any = None, expect: tuple[int, ...] = (200,), **headers: str
    ) -> HttpResponse:
        """Ask the API of this number; raise UnexpectedResponse unless the status is expected. `headers`: `_` stands for `-`."""
        port = self._ports[number % len(self._ports)]
        text = None if body is None else json.dumps(body)
        began = time.monotonic()
        try:
            status, content = self._ask(port, (method, path, text, _named(headers, text)))
        except (OSError, http.client.HTTPException) as fault:
            raise UnexpectedResponse(f"{method} {_shape(path)}: {type(fault).__name__} {fault}") from None
        answer = HttpResponse(status, content, time.monotonic() - began)
        if status not in expect:
            raise UnexpectedResponse(f"{method} {_shape(path)}: {status} {content[:300].decode(errors='replace')}")
        return answer

    @contextmanager
    def stream(self, number: int, path: str, patience: float) -> Iterator[Iterator[Message]]:
        """Watch events; leaving the `with` block leaves the stream, wherever it stands."""
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
    """Write a path without its ids, so that faults of one sort are counted together."""
    return "/".join("…" if len(part) == 36 and part.count("-") == 4 else part for part in path.split("/"))
