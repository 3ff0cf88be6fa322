"""The receiver of webhooks: it checks their signatures and writes down what came, and misbehaves on request.

Stands at the end of a job's life, as the mail server does. Next: `ledger.py`, which counts what it got.
"""

import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

from tests.support.ports import LOCALHOST, steady_port

Behaviour = Literal["well", "500", "hang", "drop", "refuse"]
"""Take what comes; answer 500; read and say nothing; read and break off; take no connection at all."""
TOLERANCE = 300.0
"""Seconds by which a webhook's time may differ from the clock."""
SILENCE = 60.0
"""Seconds after which a connection that says nothing is closed."""


@dataclass(frozen=True)
class ReceivedWebhook:
    """One webhook as it came: when (s since 1970), its `webhook-id`, its event's type, and what was wrong with it."""

    at: float
    event_id: str
    kind: str
    fault: str


@dataclass
class Receiver:
    """A web server, running while its `with` block does; `behave` may be called at any time."""

    secret: str

    taken: list[ReceivedWebhook] = field(default_factory=list, init=False)
    """What was answered with 200, or would have been had its sender still been there."""
    rejected: int = field(default=0, init=False)
    """Requests that were read and not answered with 200."""
    behaviour: Behaviour = field(default="well", init=False)

    def __enter__(self) -> Self:
        """Listen."""
        self._port, self._over, self._lock = steady_port(), threading.Event(), threading.Lock()
        self._server: _ReceiverServer | None = None
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        """Break off what hangs, and stop."""
        self._over.set()
        self._leave()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOCALHOST}:{self._port}/hook"

    def behave(self, how: Behaviour) -> None:
        """Do so from now on; what hangs goes on hanging until this is called repeated."""
        with self._lock:
            self.behaviour = how
            self._over.set()
            self._over = threading.Event()
            if how == "refuse":
                self._leave()
            elif self._server is None:
                self._listen()

    def take(self) -> list[ReceivedWebhook]:
        """Give what was taken since the last time, and keep none of it."""
        taken = self.taken[:]
        del self.taken[: len(taken)]
        return taken

    def checked(self, headers: Any, body: bytes) -> ReceivedWebhook:
        """Read a request as Standard Webhooks and CloudEvents have it."""
        event_id, stamp = str(headers["webhook-id"]), str(headers["webhook-timestamp"])
        signed = hmac.digest(self._key, f"{event_id}.{stamp}.".encode() + body, sha256)
        faults = []
        if f"v1,{base64.b64encode(signed).decode()}" not in str(headers["webhook-signature"]).split(" "):
            faults.append("its signature is wrong")
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > TOLERANCE:
            faults.append(f"its time is {stamp}")
        event = {}
        with suppress(ValueError):
            event = json.loads(body)
        if event.get("id") != event_id or event.get("specversion") != "1.0":
            faults.append(f"it is no event of this id: {body[:200]!r}")
        return ReceivedWebhook(time.time(), event_id, str(event.get("type")), ", ".join(faults))

    def answer(self, delivery: ReceivedWebhook, say: Callable[[int], None]) -> None:
        """Take a webhook, or do with it what it is results to."""
        how, over = self.behaviour, self._over
        if how == "well":
            self.taken.append(delivery)  # first: whoever has the answer may look at once
            say(200)
            return
        self.rejected += 1
        if how == "500":
            say(500)
        elif how == "hang":
            over.wait(SILENCE)

    @property
    def _key(self) -> bytes:
        return base64.b64decode(self.secret.removeprefix("whsec_"))

    def _listen(self) -> None:
        self._server = server = _ReceiverServer((LOCALHOST, self._port), _ReceiverHandler)
        server.receiver = self
        threading.Thread(target=server.serve_forever, args=(0.1,), name="receiver", daemon=True).start()

    def _leave(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


class _ReceiverServer(ThreadingHTTPServer):
    """Many conversations at a time; none of them holds up its end."""

    receiver: Receiver
    block_on_close = False
    request_queue_size = 200

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the worker at the other end may have been killed."""


class _ReceiverHandler(BaseHTTPRequestHandler):
    """One request."""

    server: _ReceiverServer
    timeout = SILENCE

    def do_POST(self) -> None:
        """Read it, have it checked, answer."""
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        receiver = self.server.receiver
        if len(body) < length:  # its sender was killed while it wrote: nothing came
            receiver.rejected += 1
            self.close_connection = True
            return
        receiver.answer(receiver.checked(self.headers, body), self._say)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Write nothing."""

    def _say(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
