"""What a job's stream begins with, on a store written by hand: what is missed while the store is read isn't lost."""

from dataclasses import dataclass, field

import pytest

from api.events.backlog import is_held, start_of_stream
from errand.errors import JobUnknown
from errand.store import Event, Snapshot
from schemas.status import Status

JOB, OTHER = "job", "other"


def status_event(number: str, status: str, job_id: str = JOB) -> Event:
    return Event(number, job_id, "status", f'{{"id":"{job_id}","status":"{status}","attempt":1}}')


@dataclass
class KeptEvents:
    """A store with these events and this job; `drops` events leave it when somebody reads."""

    events: list[Event]
    status: Status | None = Status.RUNNING
    progress: str | None = None
    drops: int = 0
    readings: list[str] = field(default_factory=list)

    def snapshot(self, job_id: str) -> Snapshot:
        assert job_id == JOB
        return Snapshot(self.first_event(), self.last_event(), self.status, 1, self.progress)

    def first_event(self) -> str | None:
        return self.events[0].number if self.events else None

    def last_event(self) -> str:
        return self.events[-1].number if self.events else "0-0"

    def events_between(self, after: str, upto: str, most: int) -> list[Event]:
        self.readings.append(after)
        self.events, self.drops = self.events[self.drops :], 0
        return [event for event in self.events if after < event.number <= upto][:most]

    def events_after(self, last: str, block_ms: int, most: int) -> list[Event]:
        raise NotImplementedError


def said(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.number, event.kind) for event in events]


def test_a_snapshot_has_the_number_of_the_latest_event() -> None:
    store = KeptEvents([status_event("1-0", "accepted"), status_event("2-0", "running")], progress='{"progress":0.4}')

    start = start_of_stream(store, JOB, None)

    assert said(start.events) == [("2-0", "status"), ("2-0", "progress")]
    assert (start.number, start.known, start.over) == ("2-0", "2-0", False)


def test_a_client_that_lost_the_connection_inside_a_snapshot_gets_the_progress() -> None:
    store = KeptEvents([status_event("2-0", "running"), Event("3-0", JOB, "log", "{}")], progress='{"progress":0.4}')

    start = start_of_stream(store, JOB, "2-0")

    assert said(start.events) == [("2-0", "progress"), ("3-0", "log")]


def test_a_missed_progress_is_sent_once() -> None:
    store = KeptEvents([status_event("2-0", "running"), Event("3-0", JOB, "progress", "{}")], progress="{}")

    assert said(start_of_stream(store, JOB, "2-0").events) == [("3-0", "progress")]


def test_a_client_that_missed_only_the_events_of_other_jobs_keeps_its_position() -> None:
    store = KeptEvents([status_event("2-0", "running"), status_event("3-0", "running", OTHER)])

    start = start_of_stream(store, JOB, "2-0")

    assert (start.events, start.number, start.known, start.over) == ([], "3-0", "2-0", False)


@pytest.mark.parametrize(("last", "over"), [("2-0", True), ("1-0", False)])
def test_a_stream_is_over_only_for_a_client_that_has_the_final_status(last: str, over: bool) -> None:
    store = KeptEvents([status_event("1-0", "running"), status_event("2-0", "succeeded")], Status.SUCCEEDED)

    assert start_of_stream(store, JOB, last).over is over


def test_when_events_are_dropped_while_they_are_read_the_snapshot_is_sent() -> None:
    store = KeptEvents(
        [status_event("1-0", "running"), status_event("2-0", "failed"), status_event("3-0", "accepted", OTHER)],
        Status.FAILED,
        drops=2,
    )

    start = start_of_stream(store, JOB, "1-0")

    assert (said(start.events), start.over) == ([("3-0", "status")], False)
    assert '"status":"failed"' in start.events[0].data


def test_a_job_that_is_unknown_has_no_stream() -> None:
    with pytest.raises(JobUnknown):
        start_of_stream(KeptEvents([], status=None), JOB, "1-0")


@pytest.mark.parametrize(
    ("first", "last", "latest", "held"),
    [
        ("5-0", "5-0", "9-0", True),
        ("5-0", "4-9", "9-0", False),
        ("5-0", "9-0", "9-0", True),
        ("5-0", "9-1", "9-0", False),
        ("9-0", "10-0", "11-0", True),
        (None, "0-0", "0-0", True),
        (None, "1-0", "0-0", False),
    ],
)
def test_events_are_held_from_the_oldest_on(first: str | None, last: str, latest: str, held: bool) -> None:
    assert is_held(first, last, latest) is held
