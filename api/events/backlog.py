"""What an event stream begins with: the job as it stands, or what happened since the client was here last.

Stands beside the whole life of a job, in front of what `api/feed/broadcaster.py` brings. Next: `views.py`, which
sends it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from pydantic_core import from_json

from api.feed.broadcaster import order
from api.ports import EventStore
from errand.errors import EventIdRefused, JobUnknown
from errand.store import Event
from schemas.status import FINAL, Status

PAGE: Final = 1_000
"""Events of one reading of what is past."""
NUMBER: Final = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")

Record = dict[str, str]


class PastEvents(EventStore, Protocol):
    """The store, as far as it knows what was; each call raises StoreUnavailable."""

    def get(self, job_id: str) -> Record | None:
        """Give the job's record, or None."""
        ...


def event_number(text: str | None) -> str | None:
    """Read a `Last-Event-ID`; None when there is none."""
    if text is not None and not NUMBER.fullmatch(text):
        raise EventIdRefused()
    return text


@dataclass(frozen=True, slots=True)
class StreamStart:
    """What a job's stream begins with; everything up to event `number` is in it. `over`: there will be no more."""

    events: list[Event]
    number: str
    over: bool = False


def opening(store: PastEvents, job_id: str, last: str | None) -> StreamStart:
    """Find out what to begin with, for a client whose `Last-Event-ID` is `last`. Raises JobUnknown.

    To be called by one who is subscribed already: what happens after `number` comes to him live.
    """
    latest = store.last_event()  # before the record, which is then at least as new
    record = store.get(job_id)
    if record is None:
        raise JobUnknown()
    if last is None or not is_held(store, last, latest):
        return StreamStart(snapshot(job_id, record, latest), latest)
    events = [event for event in between(store, last, latest) if event.id == job_id]
    return StreamStart(events, latest, over=not events and record["status"] in FINAL)


def is_held(store: EventStore, last: str, latest: str) -> bool:
    """Tell whether the store still has everything that came after `last`."""
    first = store.first_event()
    return first is not None and order(first) <= order(last) <= order(latest)


def between(store: EventStore, after: str, upto: str) -> Iterator[Event]:
    """Give all events after `after`, up to `upto` itself, page by page."""
    while page := store.events_between(after, upto, PAGE):
        yield from page
        after = page[-1].number


def snapshot(job_id: str, record: Record, number: str) -> list[Event]:
    """Tell how the job stands as if it had just happened: its status, and its progress while it runs."""
    status = f'{{"id":"{job_id}","status":"{record["status"]}","attempt":{record.get("attempt", "0")}}}'
    events = [Event(number, job_id, "status", status)]
    if record["status"] == Status.RUNNING and "progress" in record:
        events.append(Event(number, job_id, "progress", f'{{"id":"{job_id}",{record["progress"].lstrip()[1:]}'))
    return events


def is_final(event: Event) -> bool:
    """Tell whether the job's stream ends with this event."""
    return event.kind == "status" and from_json(event.data)["status"] in FINAL
