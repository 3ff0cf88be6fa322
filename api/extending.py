"""What plug-ins build their routes of: `from api.extending import cluster, event_stream, job_events`.

Public, and all of the API's side that is; `docs/extending.md` tells how to use it. What goes wrong in a call is
answered by `api/http/problems.py`: a missing service 503, a slow one 504, one that failed 502, and all of them in time.
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
from errand.broker.cluster import Cluster
from errand.errors import BrokerUnavailable, ServiceFailed
from errand.settings import Settings

__all__ = ["cluster", "event_stream", "job_events", "json_body"]

CALLERS: Final = "errand.callers"
RECYCLE_SECONDS: Final = 3600.0
TIMEOUT_SECONDS: Final = 10.0


@contextmanager
def cluster(timeout: float = TIMEOUT_SECONDS, refusals: Mapping[str, int] | None = None) -> Iterator[Cluster]:
    """Lend `n`, by which services are called: `n.greeting_service.hello(name="world")`, or `.call_async(…).result()`.

    All that is called in the block is to be answered within `timeout` seconds. `refusals`: HTTP statuses by the names
    of errors that a method was told to expect; what they say is the answer's `detail`. Inside of a request only.
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
    """Give the app its pool of callers; nothing is connected."""
    app.extensions[CALLERS] = CallerPool(
        lambda: Caller(settings.amqp_uri),
        size=2 * settings.api_threads + 2,  # one for each thread, those of slow requests included
        recycle_seconds=RECYCLE_SECONDS,
    )
