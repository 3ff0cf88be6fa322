"""A web socket server in a thread of the API's process; it forwards job events to every connection."""

import json
import logging
import socket
from contextlib import closing
from functools import partial
from threading import Lock, Thread

from flask import Flask
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.sync.server import Server, ServerConnection, serve

from api.extending import job_events
from errand.errors import StoreUnavailable
from examples.live.visitors import refusal

PATIENCE_MS = 20_000  # after that, the kernel drops a client that reads nothing
QUIET = logging.getLogger(f"{__name__}.quiet")
QUIET.setLevel(logging.CRITICAL)  # clients may send nonsense, and each time would write a log line


class Sockets:
    """The server of this process; it starts on first use."""

    def __init__(self, app: Flask, port: int = 0) -> None:
        """Listen on `port` of the API's host (0: any free one); several processes may share a port."""
        self._app, self._port = app, port
        self._lock, self._thread, self._taken = Lock(), None, 0

    @property
    def port(self) -> int:
        """The port it listens on; raises OSError if it can't listen."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                host = self._app.extensions["errand"].settings.host
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                limits = {"max_size": 1024, "open_timeout": 5, "close_timeout": 1, "compression": None}
                check = partial(refusal, self._app)
                listening = {"family": family, "reuse_port": True, "process_request": check, "logger": QUIET}
                server = serve(self._forward, host, self._port, **listening, **limits)
                self._taken = server.socket.getsockname()[1]
                self._thread = Thread(target=run, args=(server,), name="sockets", daemon=True)
                self._thread.start()
            return self._taken

    def _forward(self, connection: ServerConnection) -> None:
        """Send each event as a JSON object until the client disconnects or the server stops."""
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PATIENCE_MS)
        try:
            with self._app.app_context(), closing(job_events()) as events:
                next(events)
                connection.send('{"event": "listening"}')  # from now on no event is missed
                for event in events:
                    if event is not None:
                        connection.send(json.dumps({"event": event.kind, **json.loads(event.data)}))
                    elif connection.state is not State.OPEN:
                        return
        except ConnectionClosed:
            pass
        except StoreUnavailable as away:
            connection.close(1013, str(away))  # try again later


def run(server: Server) -> None:
    """Serve until the server fails, for example for lack of file descriptors; the next request starts another."""
    with server:
        server.serve_forever()
