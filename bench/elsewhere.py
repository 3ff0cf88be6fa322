"""The API for servers other than granian, used by `bench/servers.py`: `gunicorn "bench.elsewhere:make()"`.

It has no submit thread, which needs granian's handle of a connection.
"""

from collections.abc import Callable
from threading import Semaphore
from typing import Any

from api.dispatch.dispatcher import may_take_long
from api.dispatch.long_request_slot import SLOT_KEY, LongRequestSlot
from api.serving import wsgi

TURNS = 4
"""Number of slow requests that run at a time, as under granian."""


def make() -> Callable[..., Any]:
    """Create the app of this process."""
    app, place = wsgi.make(), LongRequestSlot(Semaphore(TURNS))

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        if not may_take_long(environ):
            return app(environ, start_response)
        environ[SLOT_KEY] = place
        with place.working():
            return app(environ, start_response)

    return call
