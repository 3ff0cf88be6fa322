"""A real web server for tests that answers as configured: correctly, endlessly, with garbage, or not at all."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from tests.support.smtp import Certificate

Answer = Callable[[socket.socket], None]
"""Writes to a connection whose request has been read; the server closes it afterwards."""


def plain(body: bytes = b"", *headers: str, status: str = "200 OK") -> Answer:
    """Answer correctly."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return raw("\r\n".join(lines).encode("latin-1") + body)


def raw(answer: bytes) -> Answer:
    """Answer with these bytes."""
    return lambda connection: connection.sendall(answer)


def one_after_the_other(*answers: Answer) -> Answer:
    """Answer with each in turn, then with the last one forever."""
    left = list(answers)

    def write(connection: socket.socket) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection)

    return write


def endless(start: bytes, more: bytes) -> Answer:
    """Answer with `start`, then with `more` until the client disconnects."""

    def write(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(more)

    return write


@dataclass
class WebServer:
    """A web server, running while its `with` block does. `answer` and `silent` may be changed at any time.

    With `tls` it speaks https. With `silent` it accepts connections and sends nothing, not even to start TLS.
    """

    answer: Answer = field(default_factory=plain)
    host: str = "127.0.0.1"
    tls: Certificate | None = None
    silent: bool = False

    requests: list[str] = field(default_factory=list, init=False)
    """The head of each request, as it came in."""
    bodies: list[bytes] = field(default_factory=list, init=False)
    """The body of each request, empty where its head announced none."""
    names: list[str | None] = field(default_factory=list, init=False)
    """The host that each TLS connection asked for."""
    connections: int = field(default=0, init=False)
    ended: int = field(default=0, init=False)
    """Connections that the client has closed, or that were answered."""

    def __enter__(self) -> Self:
        """Listen."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family, backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self.stopping = threading.Event()
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections and stop."""
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def url(self, path: str = "/", host: str | None = None) -> str:
        """Return an address at this server, by its IP address or by another name of this machine."""
        name = host or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"http{'s' if self.tls else ''}://{name}:{self.port}{path}"

    def wait_until(self, holds: Callable[[], bool], timeout: float = 10.0) -> None:
        """Wait until something holds; looked at whenever something happened to a connection."""
        with self._changed:
            assert self._changed.wait_for(holds, timeout), f"it never held; {self.connections} connections"

    def _note(self, change: Callable[[], object]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # stopped
            self._open.add(connection)
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                if self.silent:
                    while connection.recv(65_536):
                        pass
                elif self.tls:
                    context = self.tls.for_server()
                    context.sni_callback = lambda _, name, __: self.names.append(name)
                    with context.wrap_socket(connection, server_side=True) as inside:
                        self._converse(inside)
                        inside.unwrap()
                else:
                    self._converse(connection)
        finally:
            self._open.discard(connection)
            self._note(lambda: setattr(self, "ended", self.ended + 1))

    def _converse(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (part := connection.recv(65_536)):
                return
            head += part
            if head.startswith(b"\x16"):  # TLS, where none is spoken
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
        head, _, body = head.partition(b"\r\n\r\n")
        announced = re.search(rb"(?im)^content-length: *([0-9]+)", head)
        while len(body) < int(announced[1] if announced else 0):
            if not (part := connection.recv(65_536)):
                return
            body += part
        self._note(lambda: (self.requests.append(head.decode("latin-1") + "\r\n\r\n"), self.bodies.append(body)))
        self.answer(connection)
