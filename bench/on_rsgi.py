"""The API as granian's RSGI would run it, for `bench/rsgi.py`.

One-job requests run as greenlets in the event loop's own thread, or in the express thread, whose answers of one round
reach the loop by one call. Streams have a thread each, everything else shares a pool of API_THREADS.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache, partial
from io import BytesIO
from threading import Semaphore, Thread
from typing import Any

from api import wsgi
from api.bodies import BODY
from api.express import Express, answer, is_quick
from api.lanes import PLACE, Place, may_take_long
from errand.settings import Settings

Environ = dict[str, Any]
Give = Callable[["Handle"], object]
ALWAYS: Environ = {"SCRIPT_NAME": "", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.errors": sys.stderr, "wsgi.version": (1, 0)}


class Handle:
    """Has the methods of granian's WSGI handle; the request's task awaits it until the answer is given.

    asyncio takes it for a future, but one that ends its task at once, without another turn of the loop.
    """

    def __init__(self, proto: Any, loop: Any, give: Give) -> None:
        self._proto, self._loop, self._give, self._ended = proto, loop, give, False
        self._answer: tuple[Any, ...] = ()
        self._wake: Callable[[Handle], object] | None = None
        self._asyncio_future_blocking = False

    def response_bytes(self, *answer: Any) -> None:
        """Keep an answer until `end`."""
        self._answer = answer
        self._give(self)

    def response_iter(self, status: int, headers: Any, parts: Any) -> None:
        """Send an answer in pieces."""
        transport = self._proto.response_stream(status, headers)
        for part in parts:
            for _ in transport.send_bytes(part).__await__():  # it never waits; raises when the client has gone
                pass
        parts.close()
        self._give(self)

    def end(self) -> None:
        """Answer; to be called in the loop."""
        self._ended = True
        if self._answer:
            self._proto.response_bytes(*self._answer)
        wake, self._wake = self._wake, None
        if wake:
            wake(self)

    def __await__(self) -> Iterator[Any]:
        if not self._ended:
            self._asyncio_future_blocking = True
            yield self

    def add_done_callback(self, wake: Give, *, context: object = None) -> None:
        """Have asyncio's task woken by `end`."""
        self._wake = wake

    def get_loop(self) -> Any:
        """Give the loop, which asyncio's task asks for."""
        return self._loop

    def result(self) -> None:
        """Give nothing: the answer is out."""


class Lane(Express):
    """The express lane, in a thread of its own or in the loop's, where it also waits for Redis."""

    def __init__(self, loop: Any, is_in_loop: bool) -> None:
        super().__init__()
        self.loop, self.is_in_loop, self.is_idle = loop, is_in_loop, True
        self.ready: list[Handle] = []
        self.under_way: Any = []
        if not is_in_loop:
            self.start()

    def put(self, run: Any, handle: Handle, environ: Environ) -> None:
        """Have the request answered."""
        self.take(run, handle, environ)
        if self.is_in_loop and self.is_idle:
            self.is_idle = False
            self.loop.call_soon(self.turn)

    def turn(self) -> None:
        """Go one round in the loop's thread."""
        self.under_way = self._round(self.under_way)
        self.is_idle = not (self.under_way or self._gathered or self._coming.qsize())
        if not self.is_idle:
            self.loop.call_soon(self.turn)

    def _round(self, under_way: Any) -> Any:
        sent, ready = super()._round(under_way), self.ready.copy()
        self.ready.clear()
        if self.is_in_loop:
            self.end(ready)
        elif ready:
            self.loop.call_soon_threadsafe(self.end, ready)
        return sent

    def end(self, ready: list[Handle]) -> None:
        """Answer all of these; to be called in the loop."""
        for each in ready:
            each.end()


class App:
    """What granian calls."""

    def __init__(self, is_in_loop: bool) -> None:
        settings = Settings.load_or_exit()
        self.is_in_loop, self.app, self.place = is_in_loop, wsgi.make(), Place(Semaphore(settings.api_threads))
        self.pool = ThreadPoolExecutor(settings.api_threads)

    def __rsgi_init__(self, loop: Any) -> None:
        self.loop, self.lane = loop, Lane(loop, self.is_in_loop)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        environ = environ_of(scope)
        body = b"" if scope.method == "GET" else await proto()
        environ["wsgi.input"] = BytesIO(body)
        if is_quick(environ):
            environ[BODY] = body
            handle = Handle(proto, self.loop, self.lane.ready.append)
            self.lane.put(self.run, handle, environ)
        else:
            handle = Handle(proto, self.loop, lambda handle: self.loop.call_soon_threadsafe(handle.end))
            if may_take_long(environ):
                environ[PLACE] = self.place
                Thread(target=answer, args=(self.run, handle, environ), daemon=True).start()
            else:
                self.pool.submit(answer, self.run, handle, environ)
        await handle

    def run(self, handle: Handle, environ: Environ) -> None:
        """Answer a request as WSGI's servers do."""
        told: list[Any] = []
        with self.place.at_work() if PLACE in environ else nullcontext():
            parts = self.app(environ, lambda status, headers, _=None: told.extend((int(status[:3]), headers)))
        if isinstance(parts, list):
            handle.response_bytes(*told, b"".join(parts))
        else:
            handle.response_iter(*told, parts)


def environ_of(scope: Any) -> Environ:
    """Describe a request as WSGI does."""
    environ = {**ALWAYS, "REQUEST_METHOD": scope.method, "PATH_INFO": scope.path, "QUERY_STRING": scope.query_string}
    environ["SERVER_NAME"], _, environ["SERVER_PORT"] = scope.server.rpartition(":")
    environ["REMOTE_ADDR"], environ["wsgi.url_scheme"] = scope.client.rpartition(":")[0], scope.scheme
    for name, value in scope.headers.items():
        environ[key(name)] = value
    return environ


@cache
def key(name: str) -> str:
    """Give WSGI's name of a header."""
    word = name.upper().replace("-", "_")
    return word if word in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{word}"


in_loop, in_thread = partial(App, is_in_loop=True), partial(App, is_in_loop=False)
"""Make the app of a process."""
