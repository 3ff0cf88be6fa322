"""Finds the events with which a stream begins: the job's current state, or the events after `Last-Event-ID`.

Next: `stream.py`, which sends it and continues with live events.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from pydantic_core import from_json

from api.feed.broadcaster import order
from api.ports import EventStore
from errand.errors import EventIdRefused, JobUnknown
from errand.record import JobRecord
from errand.store import Event
from schemas.status import FINAL, Status

PAGE: Final = 1_000
"""Events read from the store at a time."""
NUMBER: Final = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


class PastEvents(EventStore, Protocol):
    """The part of the store that a stream begins with; each call raises StoreUnavailable."""

    def get(self, job_id: str) -> JobRecord | None:
        """Return the job's record, or None."""
        ...


def event_number(text: str | None) -> str | None:
    """Check a `Last-Event-ID`; None stays None. Raises EventIdRefused."""
    if text is not None and not NUMBER.fullmatch(text):
        raise EventIdRefused()
    return text


@dataclass(frozen=True, slots=True)
class StreamStart:
    """The first events of a job's stream, complete up to event `number`. `over`: no more events will come."""

    events: list[Event]
    number: str
    over: bool = False


def start_of_stream(store: PastEvents, job_id: str, last: str | None) -> StreamStart:
    """Find the first events for a client whose `Last-Event-ID` is `last`. Raises JobUnknown.

    Subscribe before you call it: the events after `number` then come live.
    """
    latest = store.last_event()  # read before the record, which is then at least as new
    record = store.get(job_id)
    if record is None:
        raise JobUnknown()
    if last is None or not is_held(store, last, latest):
        return StreamStart(snapshot(record, latest), latest)
    events = [event for event in between(store, last, latest) if event.id == job_id]
    return StreamStart(events, latest, over=not events and record.status in FINAL)


def is_held(store: EventStore, last: str, latest: str) -> bool:
    """Return whether the store still has every event after `last`."""
    first = store.first_event()
    return first is not None and order(first) <= order(last) <= order(latest)


def between(store: EventStore, after: str, upto: str) -> Iterator[Event]:
    """Yield the events after `after`, up to and including `upto`, reading page by page."""
    while page := store.events_between(after, upto, PAGE):
        yield from page
        after = page[-1].number


def snapshot(record: JobRecord, number: str) -> list[Event]:
    """Return the job's current state as events: its status, and its progress while it runs."""
    status = f'{{"id":"{record.id}","status":"{record.status.value}","attempt":{record.attempt}}}'
    events = [Event(number, record.id, "status", status)]
    if record.status is Status.RUNNING and record.progress:
        events.append(Event(number, record.id, "progress", f'{{"id":"{record.id}",{record.progress.lstrip()[1:]}'))
    return events


def is_final(event: Event) -> bool:
    """Return whether the job's stream ends with this event."""
    return event.kind == "status" and from_json(event.data)["status"] in FINAL
