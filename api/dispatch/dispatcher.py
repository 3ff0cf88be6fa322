"""Decides which thread answers a request: granian's, the submit thread, or one of its own for a long request.

Granian's few threads keep answering requests that end at once. A request that submits one job goes to the thread in
`submit_thread.py`. Event streams and waits get a thread each, up to API_STREAMS, and a slot
(`long_request_slot.py`). Next: `submit_thread.py`.
"""

import logging
from collections.abc import Callable
from io import BytesIO
from threading import Semaphore, Thread
from typing import Any, Final

from granian.server import mp

from api.dispatch.long_request_slot import SLOT_KEY, LongRequestSlot
from api.dispatch.submit_thread import PATHS, Runner, Scope, SubmitThread, answer_request, submits_one_job
from api.http.body import BODY_KEY
from schemas.requests import MAX_BODY_BYTES

log = logging.getLogger(__name__)

BODY_LIMIT: Final = MAX_BODY_BYTES + 2
"""Bytes read of a body: enough to see that it is too large."""

App = Callable[..., Any]


class RequestDispatcher:
    """Dispatches the requests of one process."""

    def __init__(
        self, slots: int, max_working: int, submit_thread: SubmitThread | None = None, public_path: str = ""
    ) -> None:
        """Allow `slots` long requests at a time, of which `max_working` run Python at the same moment.

        Without a `submit_thread`, submissions stay with granian's threads. A path may begin with `public_path`.
        """
        self._submit_paths = PATHS | {public_path + path for path in PATHS}
        self._free, self._slot = Semaphore(slots), LongRequestSlot(Semaphore(max_working))
        self._submit_thread = submit_thread

    def install(self) -> None:
        """Make granian hand the requests of this process to this dispatcher. Call it before granian starts to serve.

        Granian's own way to allow long requests is more threads, which it also starts for any burst of short ones.
        `docs/decisions/0008-event-streams.md` has the figures.
        """
        wrap = mp._wsgi_call_wrap  # type: ignore[attr-defined]  # not exported; the release is pinned

        def wrap_and_dispatch(app: App, *options: Any) -> Runner:
            return self.dispatch(wrap(self.limit_working(app), *options))

        mp._wsgi_call_wrap = wrap_and_dispatch  # type: ignore[assignment,attr-defined]  # the same

    def dispatch(self, run: Runner) -> Runner:
        """Wrap `run` so that each request is answered in the thread that suits it."""

        def choose(connection: Any, scope: Scope) -> None:
            if may_take_long(scope):
                # The body can be read only until we return. No view reads the body of a GET.
                body = b"" if scope["REQUEST_METHOD"] == "GET" else scope["wsgi.input"].read(BODY_LIMIT)
                scope["wsgi.input"] = BytesIO(body)
                if self._start_thread(run, connection, scope):
                    return
            elif self._submit_thread and submits_one_job(scope, self._submit_paths):
                scope[BODY_KEY] = scope["wsgi.input"].read(BODY_LIMIT)
                scope["wsgi.input"] = BytesIO(scope[BODY_KEY])
                self._submit_thread.take(run, connection, scope)
                return
            run(connection, scope)

        return choose

    def limit_working(self, app: App) -> App:
        """Wrap the WSGI app so that only a few long requests are in it at the same time."""

        def call(environ: Scope, start_response: Any) -> Any:
            if SLOT_KEY not in environ:
                return app(environ, start_response)
            with self._slot.working():
                return app(environ, start_response)

        return call

    def _start_thread(self, run: Runner, connection: Any, scope: Scope) -> bool:
        """Answer the request in a thread of its own; return False when no slot is free."""
        if not self._free.acquire(blocking=False):
            return False
        arguments = (run, connection, {**scope, SLOT_KEY: self._slot})
        try:
            Thread(target=self._run, args=arguments, name="long-request", daemon=True).start()
        except RuntimeError as fault:
            self._free.release()
            log.warning("Can't start a thread for a long request: %s", fault, extra={"action": "thread_refused"})
            return False
        return True

    def _run(self, run: Runner, connection: Any, scope: Scope) -> None:
        try:
            answer_request(run, connection, scope)
        finally:
            self._free.release()


def may_take_long(scope: Scope) -> bool:
    """Return whether the request opens a stream or prefers to wait. A wrong yes costs only a thread."""
    if scope["REQUEST_METHOD"] == "GET" and scope["PATH_INFO"].rstrip("/").endswith("/events"):
        return True
    return "wait" in scope.get("HTTP_PREFER", "").lower()
