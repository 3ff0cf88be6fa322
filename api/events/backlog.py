"""Finds the events with which a stream begins: the job's current state, or the events after `Last-Event-ID`.

Next: `stream.py`, which sends it and continues with live events.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic_core import from_json

from api.feed.broadcaster import order
from api.ports import EventStore
from errand.errors import EventIdRefused, JobUnknown
from errand.store import Event, Snapshot
from schemas.status import FINAL, Status

PAGE: Final = 1_000
"""Events read from the store at a time."""
NUMBER: Final = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


def event_number(text: str | None) -> str | None:
    """Check a `Last-Event-ID`; None stays None. Raises EventIdRefused."""
    if text is not None and not NUMBER.fullmatch(text):
        raise EventIdRefused()
    return text


@dataclass(frozen=True, slots=True)
class StreamStart:
    """The first events of a job's stream, complete up to event `number`. `over`: no more events will come.

    `known` is the number from which the client resumes when it has read `events`.
    """

    events: list[Event]
    number: str
    known: str
    over: bool = False


def start_of_stream(store: EventStore, job_id: str, last: str | None) -> StreamStart:
    """Find the first events for a client whose `Last-Event-ID` is `last`. Raises JobUnknown, StoreUnavailable.

    Subscribe before you call it: the events after `number` then come live.
    """
    now = store.snapshot(job_id)
    if now.status is None:
        raise JobUnknown()
    if last is not None and is_held(now.first, last, now.latest):
        missed = [event for event in between(store, last, now.latest) if event.id == job_id]
        if is_held(store.first_event(), last, now.latest):  # the store has dropped none while we read
            return _resumed(job_id, now, last, missed)
    return StreamStart([_status(job_id, now), *_progress(job_id, now, now.latest)], now.latest, now.latest)


def is_held(first: str | None, last: str, latest: str) -> bool:
    """Return whether the store has every event after `last`, if it keeps those from `first` to `latest`."""
    if order(last) == order(latest):
        return True
    return first is not None and order(first) <= order(last) < order(latest)


def between(store: EventStore, after: str, upto: str) -> Iterator[Event]:
    """Yield the events after `after`, up to and including `upto`, reading page by page."""
    while page := store.events_between(after, upto, PAGE):
        yield from page
        after = page[-1].number


def is_final(event: Event) -> bool:
    """Return whether the job's stream ends with this event."""
    return event.kind == "status" and from_json(event.data)["status"] in FINAL


def _resumed(job_id: str, now: Snapshot, last: str, missed: list[Event]) -> StreamStart:
    """Begin with the missed events.

    If none of them is a progress, the job's current one comes first: a snapshot's status and progress have the same
    number, so a client that lost the connection between the two knows `last` but not the progress.
    """
    tells_progress = any(event.kind == "progress" for event in missed)
    events = missed if tells_progress else [*_progress(job_id, now, last), *missed]
    known = events[-1].number if events else last
    return StreamStart(events, now.latest, known, over=not missed and now.status in FINAL)


def _status(job_id: str, now: Snapshot) -> Event:
    """Return the job's current status as an event."""
    data = f'{{"id":"{job_id}","status":"{now.status}","attempt":{now.attempt}}}'
    return Event(now.latest, job_id, "status", data)


def _progress(job_id: str, now: Snapshot, number: str) -> list[Event]:
    """Return the job's current progress as an event, if it runs and has one."""
    if now.status is not Status.RUNNING or not now.progress:
        return []
    return [Event(number, job_id, "progress", f'{{"id":"{job_id}",{now.progress.lstrip()[1:]}')]
