"""The API as granian's RSGI would run it, for `bench/rsgi.py`.

One-job requests run as greenlets in the event loop's own thread, or in the submit thread, whose answers of one round
reach the loop by one call. Streams have a thread each, everything else shares a pool of API_THREADS threads.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache, partial
from io import BytesIO
from threading import Semaphore, Thread
from typing import Any

from api.dispatch.dispatcher import may_take_long
from api.dispatch.long_request_slot import SLOT_KEY, LongRequestSlot
from api.dispatch.submit_thread import SubmitThread, answer_request, submits_one_job
from api.http.body import BODY
from api.serving import wsgi
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
        """Send the answer. Call it in the loop."""
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
        """Wake asyncio's task in `end`."""
        self._wake = wake

    def get_loop(self) -> Any:
        """Return the loop, which asyncio's task asks for."""
        return self._loop

    def result(self) -> None:
        """Return nothing: the answer has been sent."""


class LoopSubmitThread(SubmitThread):
    """The submit thread, in a thread of its own or in the loop's, where it also waits for Redis."""

    def __init__(self, loop: Any, is_in_loop: bool) -> None:
        super().__init__()
        self.loop, self.is_in_loop, self.is_idle = loop, is_in_loop, True
        self.ready: list[Handle] = []
        self.sent_before: Any = []
        if not is_in_loop:
            self.start()

    def put(self, run: Any, handle: Handle, environ: Environ) -> None:
        """Queue a request."""
        self.take(run, handle, environ)
        if self.is_in_loop and self.is_idle:
            self.is_idle = False
            self.loop.call_soon(self.turn)

    def turn(self) -> None:
        """Run one round in the loop's thread."""
        self.sent_before = self._round(self.sent_before)
        self.is_idle = not (self.sent_before or self._batches or self._incoming.qsize())
        if not self.is_idle:
            self.loop.call_soon(self.turn)

    def _round(self, sent_before: Any) -> Any:
        sent, ready = super()._round(sent_before), self.ready.copy()
        self.ready.clear()
        if self.is_in_loop:
            self.end(ready)
        elif ready:
            self.loop.call_soon_threadsafe(self.end, ready)
        return sent

    def end(self, ready: list[Handle]) -> None:
        """Send these answers. Call it in the loop."""
        for each in ready:
            each.end()


class App:
    """What granian calls."""

    def __init__(self, is_in_loop: bool) -> None:
        settings = Settings.load_or_exit()
        self.is_in_loop, self.app, self.slot = is_in_loop, wsgi.make(), LongRequestSlot(Semaphore(settings.api_threads))
        self.pool = ThreadPoolExecutor(settings.api_threads)

    def __rsgi_init__(self, loop: Any) -> None:
        self.loop, self.submit_thread = loop, LoopSubmitThread(loop, self.is_in_loop)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        environ = environ_of(scope)
        body = b"" if scope.method == "GET" else await proto()
        environ["wsgi.input"] = BytesIO(body)
        if submits_one_job(environ):
            environ[BODY] = body
            handle = Handle(proto, self.loop, self.submit_thread.ready.append)
            self.submit_thread.put(self.run, handle, environ)
        else:
            handle = Handle(proto, self.loop, lambda handle: self.loop.call_soon_threadsafe(handle.end))
            if may_take_long(environ):
                environ[SLOT_KEY] = self.slot
                Thread(target=answer_request, args=(self.run, handle, environ), daemon=True).start()
            else:
                self.pool.submit(answer_request, self.run, handle, environ)
        await handle

    def run(self, handle: Handle, environ: Environ) -> None:
        """Answer a request as WSGI's servers do."""
        told: list[Any] = []
        with self.slot.working() if SLOT_KEY in environ else nullcontext():
            parts = self.app(environ, lambda status, headers, _=None: told.extend((int(status[:3]), headers)))
        if isinstance(parts, list):
            handle.response_bytes(*told, b"".join(parts))
        else:
            handle.response_iter(*told, parts)


def environ_of(scope: Any) -> Environ:
    """Build the WSGI environment of a request."""
    environ = {**ALWAYS, "REQUEST_METHOD": scope.method, "PATH_INFO": scope.path, "QUERY_STRING": scope.query_string}
    environ["SERVER_NAME"], _, environ["SERVER_PORT"] = scope.server.rpartition(":")
    environ["REMOTE_ADDR"], environ["wsgi.url_scheme"] = scope.client.rpartition(":")[0], scope.scheme
    for name, value in scope.headers.items():
        environ[key(name)] = value
    return environ


@cache
def key(name: str) -> str:
    """Return the WSGI key of a header."""
    word = name.upper().replace("-", "_")
    return word if word in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{word}"


in_loop, in_thread = partial(App, is_in_loop=True), partial(App, is_in_loop=False)
"""Make the app of a process."""
