"""The blocks of a stream, written by hand: which have an id, and which a client would hand on."""

from itertools import islice
from threading import Semaphore
from types import SimpleNamespace
from typing import Any

import pytest

from api.dispatch.long_request_slot import LongRequestSlot
from api.events import stream as stream_module
from api.events.stream import Stream
from api.feed.subscription import STOPPING, Subscription
from errand.store import Event

JOB = "job"


class Here:
    """What a stream needs of its process: a store with these events, and a broadcaster that is at `position`."""

    def __init__(self, *events: Event, position: str | None = "5-0") -> None:
        self.store: Any = self
        self.broadcaster = SimpleNamespace(position_of=lambda _: self.position)
        self.events, self.position = list(events), position
        self.dropped = 0

    def first_event(self) -> str | None:
        return self.events[self.dropped].number if self.events[self.dropped :] else None

    def events_between(self, after: str, upto: str, most: int) -> list[Event]:
        kept = self.events[self.dropped :]
        return [event for event in kept if after < event.number <= upto][:most]

    def get(self, job_id: str) -> object:
        return job_id


def log_line(number: str) -> Event:
    return Event(number, JOB, "log", "{}")


def stream(here: Any, number: str, known: str, *live: Event, job_id: str | None = JOB) -> Stream:
    subscription = Subscription(job_id)
    for event in live:
        subscription.offer(event)
    return Stream(here, LongRequestSlot(Semaphore(1)), subscription, number, known)


def ending(opened: Stream) -> Stream:
    opened.subscription.end(STOPPING)
    return opened


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 0.0)


def test_the_first_blank_line_of_a_jobs_stream_ends_an_event() -> None:
    opened = ending(stream(Here(), "5-0", "5-0"))

    text = b"".join(opened.of_job([log_line("5-0")]))

    assert text == b"retry: 2000\nid: 5-0\nevent: log\ndata: {}\n\n: the server stops\n"


def test_a_silent_stream_has_no_blank_line(impatient) -> None:
    opened = stream(Here(), "5-0", "5-0")

    assert b"\n\n" not in b"".join(islice(opened.of_job([]), 5))


def test_a_heartbeat_has_the_position_once_other_jobs_have_moved_it_on(impatient) -> None:
    here = Here(position="4-0")  # the broadcaster is behind the backlog
    parts = stream(here, "5-0", "3-0").of_job([])
    positions = [part.partition(b"id: ")[2] for part in islice(parts, 3)]
    here.position = "10-0"
    positions += [part.partition(b"id: ")[2] for part in islice(parts, 2)]

    assert positions == [b"", b"5-0\n\n", b"", b"10-0\n\n", b""]


def test_a_heartbeat_has_no_position_while_an_event_waits(impatient) -> None:
    here = Here(position=None)

    assert list(islice(stream(here, "5-0", "3-0").of_job([]), 2)) == [b"retry: 2000\n", b": still here\n"]


def test_after_an_event_heartbeats_have_no_older_position(impatient) -> None:
    parts = stream(Here(position="6-0"), "5-0", "5-0", log_line("6-0")).of_job([])

    assert list(islice(parts, 3))[1:] == [b"id: 6-0\nevent: log\ndata: {}\n\n", b": still here\n"]


def test_the_stream_of_all_jobs_begins_with_a_position_only_from_now_on() -> None:
    here = Here(log_line("4-0"), log_line("5-0"))

    fresh = list(ending(stream(here, "5-0", "5-0", job_id=None)).of_all_from_now())
    resumed = list(ending(stream(here, "5-0", "4-0", job_id=None)).of_all())

    assert fresh == [b"retry: 2000\nid: 5-0\n\n", b": the server stops\n"]
    assert resumed == [b"retry: 2000\n", b"id: 5-0\nevent: log\ndata: {}\n\n", b": the server stops\n"]


def test_the_stream_of_all_jobs_says_when_events_are_dropped_while_it_reads(monkeypatch) -> None:
    monkeypatch.setattr(stream_module, "PAGE", 1)
    here = Here(*(log_line(f"{number}-0") for number in range(1, 6)))
    parts = ending(stream(here, "5-0", "1-0", job_id=None)).of_all()

    before = list(islice(parts, 2))
    here.dropped = 3
    after = list(parts)

    assert before[1].startswith(b"id: 2-0\n")
    assert after[0] == b": older events are no longer kept\n"
    assert [part[:8] for part in after[1:3]] == [b"id: 4-0\n", b"id: 5-0\n"]
