"""Event streams for plug-ins: streams of their own, and the events of all jobs. `api/extending.py` exports both."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from time import monotonic
from typing import Final

from flask import request

from api.context import current_errand
from api.dispatch.long_request_slot import current_slot
from api.events.sse import HEARTBEAT_SECONDS, HELLO, comment, stream, without_stream
from api.feed.subscription import Ended
from api.http.answer import Answer
from errand.store import Event

TICK_SECONDS: Final = 1.0
"""How often `job_events` yields None while nothing happens."""


def event_stream(news: Generator[str | None, None, None]) -> Answer:
    """Answer with Server-Sent Events: each text that `news` yields, one line, is the data of one event.

    Use it only in a view whose path ends in `/events`: such requests have a thread of their own. `news` must yield
    None about once a second while it has nothing new, so that the stream can see when the server stops. It is closed
    when the stream ends. Raises StreamsFull when too many streams are open.
    """
    if request.method == "HEAD" or current_slot() is None:
        return without_stream()
    with ExitStack() as stack:
        stack.callback(news.close)
        return stream(_written(news, current_errand().broadcaster.stops_within), stack.pop_all())


def job_events() -> Iterator[Event | None]:
    """Yield the events of all jobs, as `GET /events` does, and None after each second without one.

    The first item is always None; from then on no event is missed. The iterator ends when the server stops, or when
    its consumer is so slow that a thousand events wait. Begin it inside an application context. Raises
    StoreUnavailable.
    """
    with current_errand().broadcaster.subscribed() as subscription:
        event: Event | Ended | None = None
        while not isinstance(event, Ended):
            yield event
            event = subscription.next(TICK_SECONDS)


def _written(news: Iterator[str | None], stops_within: Callable[[float], bool]) -> Iterator[bytes]:
    yield HELLO
    written_at = monotonic()
    for text in news:
        if text is not None:
            yield f"data: {text}\n\n".encode()
            written_at = monotonic()
        elif monotonic() - written_at > HEARTBEAT_SECONDS:
            yield comment("still here")
            written_at = monotonic()
        if stops_within(0):
            return
