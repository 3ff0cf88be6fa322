"""What plug-ins build their routes from: `from api.extending import cluster, event_stream, job_events`.

This is the public part of the API for plug-ins; `docs/extending.md` shows how to use it. `api/http/problems.py` answers
for calls that fail: 503 for a missing service, 504 for a slow one, 502 for one that failed, each within the timeout.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Final

from flask import Flask, abort, current_app
from flask_nameko.errors import ClientUnavailableError

from api.caller_pool import CallerPool
from api.events.plugin_streams import event_stream, job_events
from api.http.body import json_body
from errand.broker.caller import Caller
from errand.broker.cluster_proxy import Cluster
from errand.errors import BrokerUnavailable, ServiceFailed
from errand.settings import Settings

__all__ = ["cluster", "event_stream", "job_events", "json_body"]

CALLERS: Final = "errand.callers"
"""Key of the pool in `app.extensions`."""
RECYCLE_SECONDS: Final = 3600.0
"""Age after which a connection is replaced."""
TIMEOUT_SECONDS: Final = 10.0
"""Default timeout of the calls in a `cluster()` block."""


@contextmanager
def cluster(timeout: float = TIMEOUT_SECONDS, refusals: Mapping[str, int] | None = None) -> Iterator[Cluster]:
    """Yield `n`, which calls services: `n.greeting_service.hello(name="world")`, or `.call_async(…).result()`.

    Every call of the block has to be answered within `timeout` seconds. `refusals` maps names of a method's expected
    exceptions to HTTP statuses; the exception's text becomes the answer's `detail`. Use it inside a request only.
    """
    until = monotonic() + timeout
    pool: CallerPool[Caller] = current_app.extensions[CALLERS]
    try:
        caller = pool.take(wait_seconds=timeout)
    except ClientUnavailableError:
        raise BrokerUnavailable("Too many calls to services are under way; try again shortly.") from None
    try:
        yield Cluster(caller, until)
    except ServiceFailed as failed:
        if status := (refusals or {}).get(failed.type):
            abort(status, failed.text or None)
        raise
    finally:
        caller.forget()
        pool.give_back(caller)  # after a fault it has closed itself, and it opens again at its next use


def prepare(app: Flask, settings: Settings) -> None:
    """Add the pool of callers to the app; none connects yet."""
    app.extensions[CALLERS] = CallerPool(
        lambda: Caller(settings.amqp_uri),
        size=2 * settings.api_threads + 2,  # one for each thread, those of slow requests included
        recycle_seconds=RECYCLE_SECONDS,
    )
