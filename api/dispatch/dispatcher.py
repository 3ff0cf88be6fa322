"""Gives requests that take long, event streams and waits, a thread of their own, so many of them and no more.

Stands before step 1 of a job's life: granian's few threads stay with the requests that are answered at once, and what
submits one job goes to `submit_thread.py`. Next: that, or `api/events/views.py` and `api/events/waiting.py`, which
ask here whether their request has such a place.
"""

import logging
from collections.abc import Callable
from io import BytesIO
from threading import Semaphore, Thread
from typing import Any, Final

from granian.server import mp
from granian.wsgi import _callback_wrapper

from api.dispatch.long_requests import PLACE, LongRequestSlot
from api.dispatch.submit_thread import Runner, Scope, SubmitThread, answer, is_quick
from api.http.body import BODY_KEY
from schemas.requests import MAX_BODY_BYTES

log = logging.getLogger(__name__)


MOST_BYTES: Final = MAX_BODY_BYTES + 2
"""Of a body: as many as show that it is too large."""

App = Callable[..., Any]


class RequestDispatcher:
    """The places of one process."""

    def __init__(self, places: int, turns: int, express: SubmitThread | None = None) -> None:
        """Let `places` requests take long at a time, of which `turns` work at a time; `express` has the quick ones."""
        self._free, self._place, self._express = Semaphore(places), LongRequestSlot(Semaphore(turns)), express

    def install(self) -> None:
        """Have granian give this process's requests to us. To be called before it starts to serve.

        Its own way to let requests take long is more threads, and it starts them for any burst of short ones, too.
        `docs/decisions/0008-event-streams.md` has the figures.
        """
        mp._wsgi_call_wrap = self._wrap  # type: ignore[attr-defined]  # not exported; the release is pinned

    def beside(self, run: Runner) -> Runner:
        """Give what runs a request as `run` does, but aside if it may take long and there is a place."""

        def choose(connection: Any, scope: Scope) -> None:
            if may_take_long(scope):
                # The body can be read only until we return, and of a GET there is none that we would look at.
                body = b"" if scope["REQUEST_METHOD"] == "GET" else scope["wsgi.input"].read(MOST_BYTES)
                scope["wsgi.input"] = BytesIO(body)
                if self._step_aside(run, connection, scope):
                    return
            elif self._express and is_quick(scope):
                scope[BODY_KEY] = scope["wsgi.input"].read(MOST_BYTES)
                scope["wsgi.input"] = BytesIO(scope[BODY_KEY])
                self._express.take(run, connection, scope)
                return
            run(connection, scope)

        return choose

    def in_turn(self, app: App) -> App:
        """Give an app that works as `app` does, but for requests that have a place only when it is their turn."""

        def call(environ: Scope, start_response: Any) -> Any:
            if PLACE not in environ:
                return app(environ, start_response)
            with self._place.at_work():
                return app(environ, start_response)

        return call

    def _wrap(self, callback: App, scope_opts: Scope, access_log_fmt: Any = None) -> Runner:
        return self.beside(_callback_wrapper(self.in_turn(callback), scope_opts, access_log_fmt))

    def _step_aside(self, run: Runner, connection: Any, scope: Scope) -> bool:
        if not self._free.acquire(blocking=False):
            return False
        arguments = (run, connection, {**scope, PLACE: self._place})
        try:
            Thread(target=self._run, args=arguments, name="aside", daemon=True).start()
        except RuntimeError as fault:
            self._free.release()
            log.warning("Can't start a thread for a stream: %s", fault, extra={"action": "thread_refused"})
            return False
        return True

    def _run(self, run: Runner, connection: Any, scope: Scope) -> None:
        try:
            answer(run, connection, scope)
        finally:
            self._free.release()


def may_take_long(scope: Scope) -> bool:
    """Tell whether this is a stream, or a request that would rather wait. Being wrong costs no more than a thread."""
    if scope["REQUEST_METHOD"] == "GET" and scope["PATH_INFO"].rstrip("/").endswith("/events"):
        return True
    return "wait" in scope.get("HTTP_PREFER", "").lower()
