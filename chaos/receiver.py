"""The webhook receiver: it verifies signatures, records the webhooks, and misbehaves on request."""

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
"""Accept; answer 500; read and never answer; read and disconnect; refuse connections."""
TOLERANCE = 300.0
"""Seconds by which the timestamp of a webhook may differ from the clock."""
SILENCE = 60.0
"""Seconds after which a silent connection is closed."""


@dataclass(frozen=True)
class ReceivedWebhook:
    """A webhook as received: its time (s since 1970), its `webhook-id`, its event's type, and its faults."""

    at: float
    event_id: str
    kind: str
    fault: str


@dataclass
class Receiver:
    """A web server that runs for the duration of its `with`; `behave` may be called at any time."""

    secret: str

    taken: list[ReceivedWebhook] = field(default_factory=list, init=False)
    """Webhooks answered with 200, even if their sender was gone by then."""
    rejected: int = field(default=0, init=False)
    """Number of requests that were read but not answered with 200."""
    behaviour: Behaviour = field(default="well", init=False)

    def __enter__(self) -> Self:
        """Start listening."""
        self._port, self._over, self._lock = steady_port(), threading.Event(), threading.Lock()
        self._server: _ReceiverServer | None = None
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect hanging requests, and stop."""
        self._over.set()
        self._leave()

    @property
    def url(self) -> str:
        """The URL of the receiver."""
        return f"http://{LOCALHOST}:{self._port}/hook"

    def behave(self, how: Behaviour) -> None:
        """Behave like this from now on; hanging requests hang until the next call."""
        with self._lock:
            self.behaviour = how
            self._over.set()
            self._over = threading.Event()
            if how == "refuse":
                self._leave()
            elif self._server is None:
                self._listen()

    def take(self) -> list[ReceivedWebhook]:
        """Return the webhooks received since the last call, and forget them."""
        taken = self.taken[:]
        del self.taken[: len(taken)]
        return taken

    def checked(self, headers: Any, body: bytes) -> ReceivedWebhook:
        """Check a request against Standard Webhooks and CloudEvents."""
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
        """Accept a webhook, or misbehave as requested."""
        how, over = self.behaviour, self._over
        if how == "well":
            self.taken.append(delivery)  # before the answer, whose reader may look at once
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
    """Handles many requests at a time, and does not wait for them when it closes."""

    receiver: Receiver
    block_on_close = False
    request_queue_size = 200

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: a worker at the other end may have been killed."""


class _ReceiverHandler(BaseHTTPRequestHandler):
    """Handles one request."""

    server: _ReceiverServer
    timeout = SILENCE

    def do_POST(self) -> None:
        """Read the request, check it, answer."""
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        receiver = self.server.receiver
        if len(body) < length:  # the sender was killed while it wrote, so this counts as not received
            receiver.rejected += 1
            self.close_connection = True
            return
        receiver.answer(receiver.checked(self.headers, body), self._say)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def _say(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
