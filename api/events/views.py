"""Tells of jobs as it happens, by Server-Sent Events: `GET /jobs/{id}/events` and `GET /events`.

Stands beside the whole life of a job. Each open stream has a place of its own (`api/dispatch/dispatcher.py`); it
begins with what `backlog.py` finds, and goes on with what `api/feed/broadcaster.py` brings. Next:
`api/feed/broadcaster.py`.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, request

from api.context import Errand, found, here
from api.dispatch.long_requests import LongRequestSlot, place
from api.events.backlog import PAGE, event_number, is_final, is_held, opening
from api.events.specs import WATCHING, WATCHING_ALL
from api.feed.broadcaster import order
from api.feed.subscription import Ended, Subscription
from api.http.answer import Answer
from api.http.specs import documented
from errand.errors import JobUnknown, StoreUnavailable, StreamsFull
from errand.store import Event
from schemas.jobs import ID

streams = Blueprint("streams", __name__)

HEARTBEAT_SECONDS: Final = 15.0
"""How long a stream may be silent. A client that has gone is noticed at the next write."""
HELLO: Final = b"retry: 2000\n\n"
"""Who loses the connection is to come again after 2 s."""
HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""No proxy is to keep or to gather what passes; the second is nginx's name for that."""
MEDIA_TYPE: Final = "text/event-stream"


@streams.get("/jobs/<job_id>/events")
@documented(tags=["events"], **WATCHING)
def watch_job(job_id: str) -> Answer:
    """Watch a job

    Server-Sent Events: first the job's status, then each change, its progress and its log lines as they happen. The
    stream ends after the final status. Who lost the connection goes on with `Last-Event-ID`.
    """
    last = event_number(request.headers.get("Last-Event-ID"))
    errand, ours = here(), place()
    if request.method == "HEAD" or ours is None:
        found(job_id)
        return without_stream()
    if not ID.fullmatch(job_id):
        raise JobUnknown()
    with ExitStack() as stack:
        subscription = stack.enter_context(errand.watch.subscribed(job_id))
        first = opening(errand.store, job_id, last)
        if first.over:
            return Answer(status=204)
        return stream(Stream(errand, ours, subscription, first.number).of_job(first.events), stack.pop_all())


@streams.get("/events")
@documented(tags=["events"], **WATCHING_ALL)
def watch_all() -> Answer:
    """Watch all jobs

    Server-Sent Events: every change of every job, its progress and its log lines as they happen, from now on or from
    `Last-Event-ID` on. To know what there is already, subscribe first, then list the jobs.
    """
    last = event_number(request.headers.get("Last-Event-ID"))
    errand, ours = here(), place()
    if request.method == "HEAD" or ours is None:
        return without_stream()
    with ExitStack() as stack:
        subscription = stack.enter_context(errand.watch.subscribed())
        latest = errand.store.last_event()
        if last is None or order(last) > order(latest):
            last = latest
        is_whole = last == latest or is_held(errand.store, last, latest)
        return stream(Stream(errand, ours, subscription, latest).of_all(last, is_whole), stack.pop_all())


def without_stream() -> Answer:
    """Answer a HEAD; say to everybody else that all places are taken."""
    if request.method != "HEAD":
        raise StreamsFull()
    return Answer(iter(()), headers=HEADERS, mimetype=MEDIA_TYPE)


def stream(parts: Iterator[bytes], stack: ExitStack) -> Answer:
    """Answer with a stream; `stack` is closed when it ends or its client has gone, even before the first part."""
    answer = Answer(parts, headers=HEADERS, mimetype=MEDIA_TYPE)
    answer.call_on_close(stack.close)
    return answer


@dataclass
class Stream:
    """One open stream. Everything up to event `number` is sent, or is about to be; `said` is the last status told."""

    errand: Errand
    place: LongRequestSlot
    subscription: Subscription
    number: str
    said: str = ""

    def of_job(self, first: Iterable[Event]) -> Iterator[bytes]:
        """Write these events, then those that happen, up to the final one."""
        yield HELLO + at(self.number)
        for event in first:
            yield written(event)
            if self._ends_with(event):
                return
        yield from self._live()

    def of_all(self, last: str, is_whole: bool) -> Iterator[bytes]:
        """Write the events after `last`, then those that happen."""
        yield HELLO + at(last) + (b"" if is_whole else comment("older events are no longer kept"))
        try:
            while page := self._page(last):
                for event in page:
                    yield written(event)
                last = page[-1].number
        except StoreUnavailable:
            yield comment("the store is down")
            return
        yield from self._live()

    def _page(self, last: str) -> list[Event]:
        with self.place.at_work():
            return self.errand.store.events_between(last, self.number, PAGE)

    def _live(self) -> Iterator[bytes]:
        """Write what happens after `number`; heartbeats while nothing does."""
        begin = order(self.number)
        while True:
            match self.subscription.next(HEARTBEAT_SECONDS):
                case None:
                    yield self._heartbeat()
                    if self._is_gone():
                        return
                case Ended(why):
                    yield comment(why)
                    return
                case event:
                    if order(event.number) <= begin or event.data == self.said:
                        continue
                    yield written(event)
                    if self._ends_with(event):
                        return

    def _ends_with(self, event: Event) -> bool:
        """Tell whether this event is the last of a job's stream."""
        if event.kind == "status":
            self.said = event.data
        return self.subscription.job_id is not None and is_final(event)

    def _heartbeat(self) -> bytes:
        """Write that we are still here, and where the client would go on: his stream may have been silent for long."""
        number = self.errand.watch.position_of(self.subscription)
        return comment("still here") + (at(number) if number and order(number) > order(self.number) else b"")

    def _is_gone(self) -> bool:
        """Tell whether there is no such job any more, so that nothing will happen to it."""
        try:
            job_id = self.subscription.job_id
            with self.place.at_work():
                return job_id is not None and self.errand.store.get(job_id) is None
        except StoreUnavailable:
            return False


def written(event: Event) -> bytes:
    """Write an event as it is sent. Its data is JSON on one line."""
    return f"id: {event.number}\nevent: {event.kind}\ndata: {event.data}\n\n".encode()


def at(number: str) -> bytes:
    """Write where the client would go on, without telling him anything."""
    return f"id: {number}\n\n".encode()


def comment(text: str) -> bytes:
    """Write what only people see."""
    return f": {text}\n\n".encode()
