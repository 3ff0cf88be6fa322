"""What plug-ins tell while it happens: event streams of their own, and what happens to jobs.

Stands beside the life of a job; `extending.py` gives both to plug-ins. Next: `api/feed/broadcaster.py`, which brings
what happens.
"""

from collections.abc import Callable, Generator, Iterator
from time import monotonic
from typing import Final

from flask import request

from api.context import here
from api.dispatch.long_requests import place
from api.events.views import HEADERS, HEARTBEAT_SECONDS, HELLO, MEDIA_TYPE, comment, without_stream
from api.feed.subscription import Ended
from api.http.answer import Answer
from errand.store import Event

TICK_SECONDS: Final = 1.0


def event_stream(news: Generator[str | None, None, None]) -> Answer:
    """Answer with Server-Sent Events: each text of `news`, of one line, is the data of one.

    Only for views whose path ends in `/events`: their requests have a thread of their own. None stands for nothing new
    and must come every second or so, as the stream looks then whether the server stops. `news` is closed when the
    stream ends. Raises StreamsFull when too many streams are open.
    """
    if request.method == "HEAD" or place() is None:
        return without_stream()
    answer = Answer(_written(news, here().watch.stops_within), headers=HEADERS, mimetype=MEDIA_TYPE)
    answer.call_on_close(news.close)
    return answer


def job_events() -> Iterator[Event | None]:
    """Give what happens to all jobs, as `GET /events` does, and None after each second in which nothing did.

    The first is always None: from then on nothing is missed. It ends when the server stops, and for who takes so long
    over each that a thousand wait for him. To be begun in the context of the app; raises StoreUnavailable.
    """
    with here().watch.subscribed() as subscription:
        event: Event | Ended | None = None
        while not isinstance(event, Ended):
            yield event
            event = subscription.next(TICK_SECONDS)


def _written(news: Iterator[str | None], stops_within: Callable[[float], bool]) -> Iterator[bytes]:
    yield HELLO
    said = monotonic()
    for text in news:
        if text is not None:
            yield f"data: {text}\n\n".encode()
            said = monotonic()
        elif monotonic() - said > HEARTBEAT_SECONDS:
            yield comment("still here")
            said = monotonic()
        if stops_within(0):
            return
