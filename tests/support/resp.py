"""A server that speaks the Redis protocol and gives any answer: for errors that a real server gives only rarely."""

import socketserver
import threading
from typing import IO, Self

from tests.support.ports import LOCALHOST

GREETINGS = {
    b"HELLO": b"%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n",
    b"CLIENT": b"+OK\r\n",
    b"SELECT": b"+OK\r\n",
}


class Grumpy:
    """Accepts connections and greetings, and answers each command with `answer`, a line of the protocol."""

    def __init__(self, answer: str) -> None:
        """Answer with this line from now on."""
        self.answer = answer
        self.connections = 0

    def __enter__(self) -> Self:
        """Listen on `port`."""
        grumpy = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                grumpy.connections += 1
                while command := _read(self.rfile):
                    self.wfile.write(GREETINGS.get(command[0].upper(), f"{grumpy.answer}\r\n".encode()))

        self._server = socketserver.ThreadingTCPServer((LOCALHOST, 0), Talk)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _read(lines: IO[bytes]) -> list[bytes]:
    """Read one command; empty at the end of the connection."""
    head = lines.readline()
    if not head.startswith(b"*"):
        return []
    words = []
    for _ in range(int(head[1:])):
        length = int(lines.readline()[1:])
        words.append(lines.read(length + 2)[:-2])
    return words
