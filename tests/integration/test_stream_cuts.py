"""Event streams whose connection breaks after each of their bytes: a client that resumes has every event, in order.

The client keeps what the HTML standard has it keep: an id counts once the blank line after it has come.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from threading import Semaphore

import pytest
from flask.testing import FlaskClient

from api.app import Api
from api.dispatch.long_request_slot import SLOT_KEY, LongRequestSlot
from api.events import stream as stream_module
from errand.store import Lease, Store
from schemas.status import Status
from tests.support.jobs import accepted, claim, claimed, ended, succeeded
from tests.support.sse import EventSource, Message

PROGRESS = '{"progress":0.4,"message":"counting","eta_seconds":null}'
ERROR = '{"type":"E","message":"m"}'
RUN = [("status", "running"), ("progress", 0.4), ("log", "a line"), ("status", "succeeded")]
WHOLE = [("status", "accepted"), *RUN]


@pytest.fixture
def client(app: Api, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 5.0)  # then it is missing
    client = app.test_client()
    client.environ_base[SLOT_KEY] = LongRequestSlot(Semaphore(4))
    return client


def of(job_id: str) -> str:
    return f"/jobs/{job_id}/events"


def run_through(store: Store, job_id: str) -> None:
    """Do what a worker does."""
    [lease] = store.claim_these([job_id], "worker", 30)
    work(store, lease)


def work(store: Store, lease: Lease) -> None:
    store.renew([lease], 30, {lease.id: PROGRESS}, [(lease.id, "a line")])
    succeeded(store, lease)


class Connection:
    """One connection that breaks after `size` bytes. `meanwhile` is called once: after a first block, or the break."""

    def __init__(self, size: int | None = None, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.size, self.was_cut = size, False
        self._meanwhile: Callable[[], object] | None = meanwhile

    def read(
        self, source: EventSource, client: FlaskClient, path: str, until: Callable[[Message], bool] = lambda _: False
    ) -> bool:
        """Return whether the server had something to send: False after 204."""
        with closing(client.get(path, headers=source.headers)) as answer:
            assert answer.status_code in (200, 204), answer.text
            source.read(self._bytes(answer.response), until)
        self._go_on()
        return answer.status_code == 200

    def _bytes(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        """Give the stream byte by byte, so that an event is handed on as soon as it is whole."""
        left, seen = self.size, b""
        if left == 0:
            self.was_cut = True
            return
        for part in parts:
            for at in range(len(part)):
                yield part[at : at + 1]
                if left is not None and (left := left - 1) == 0:
                    self.was_cut = True
                    return
            seen += part
            assert b"still here" not in part, f"nothing more came: {seen!r}"
            if b"\n\n" in seen:
                self._go_on()

    def _go_on(self) -> None:
        if self._meanwhile is not None:
            self._meanwhile()
            self._meanwhile = None


def until_told_to_stay_away(source: EventSource, client: FlaskClient, path: str) -> None:
    """Reconnect as a browser does, until the server answers 204."""
    for _ in range(10):
        if not Connection().read(source, client, path):
            return
    raise AssertionError("the stream never said that it is over")


def broken_everywhere(broken: Callable[[int], bool]) -> None:
    """Call `broken` with the bytes after which the connection breaks, 0, 1, 2 …, until the stream was read whole."""
    sizes = next(size for size in count() if not broken(size))
    assert sizes > 100


def is_end(message: Message) -> bool:
    return message.said == ("status", "succeeded")


def test_a_fresh_stream_of_a_job_that_runs_meanwhile(client, store):
    def broken(size: int) -> bool:
        job_id, source = accepted(store), EventSource()
        first = Connection(size, lambda: run_through(store, job_id))
        first.read(source, client, of(job_id))
        knew = source.last_event_id

        until_told_to_stay_away(source, client, of(job_id))

        assert source.said == (WHOLE if knew else [("status", "succeeded")]), size
        return first.was_cut

    broken_everywhere(broken)


def test_a_resumed_stream_with_missed_events(client, store):
    job_id = accepted(store)
    seen = store.last_event()
    run_through(store, job_id)

    def broken(size: int) -> bool:
        source, second = EventSource(seen), Connection(size)
        second.read(source, client, of(job_id))

        until_told_to_stay_away(source, client, of(job_id))

        assert source.said == RUN, size
        return second.was_cut

    broken_everywhere(broken)


def test_a_resumed_stream_whose_job_runs_meanwhile(client, store):
    def broken(size: int) -> bool:
        job_id = accepted(store)
        source = EventSource(store.last_event())
        [lease] = store.claim_these([job_id], "worker", 30)
        second = Connection(size, lambda: work(store, lease))
        second.read(source, client, of(job_id))

        until_told_to_stay_away(source, client, of(job_id))

        assert source.said == RUN, size
        return second.was_cut

    broken_everywhere(broken)


def test_a_job_that_runs_through_while_nobody_listens(client, store):
    job_id = accepted(store)
    run_through(store, job_id)

    def broken(size: int) -> bool:
        source, first = EventSource(), Connection(size)
        first.read(source, client, of(job_id))

        until_told_to_stay_away(source, client, of(job_id))

        assert source.said == [("status", "succeeded")], size
        return first.was_cut

    broken_everywhere(broken)


def test_a_running_job_whose_status_and_progress_have_one_number(client, store):
    def broken(size: int) -> bool:
        lease, source = claimed(store), EventSource()
        store.renew([lease], 30, {lease.id: PROGRESS})
        first = Connection(size)
        first.read(source, client, of(lease.id), until=lambda message: message.event == "progress")

        Connection().read(source, client, of(lease.id), until=lambda message: message.event == "progress")
        succeeded(store, lease)
        until_told_to_stay_away(source, client, of(lease.id))

        statuses = [said for said in source.said if said[0] == "status"]
        assert statuses == [("status", "running"), ("status", "succeeded")], size
        assert ("progress", 0.4) in source.said, size
        return first.was_cut

    broken_everywhere(broken)


def test_a_job_that_fails_and_is_retried_by_hand_meanwhile(client, store):
    job_id = accepted(store)
    seen = store.last_event()
    [lease] = claim(store)
    ended(store, lease, Status.FAILED, ERROR)
    store.retry(job_id)
    run_through(store, job_id)

    def broken(size: int) -> bool:
        source, second = EventSource(seen), Connection(size)
        second.read(source, client, of(job_id))

        until_told_to_stay_away(source, client, of(job_id))

        assert source.said == [("status", "running"), ("status", "failed"), *WHOLE], size
        return second.was_cut

    broken_everywhere(broken)


def test_the_stream_of_all_jobs_resumed_with_missed_events(client, store):
    seen = store.last_event() if accepted(store) else ""
    run_through(store, accepted(store))

    def broken(size: int) -> bool:
        source, second = EventSource(seen), Connection(size)
        second.read(source, client, "/events", is_end)

        if source.said[-1:] != WHOLE[-1:]:
            Connection().read(source, client, "/events", is_end)

        assert source.said == WHOLE, size
        return second.was_cut

    broken_everywhere(broken)


def test_the_stream_of_all_jobs_while_jobs_run(client, store):
    accepted(store)

    def broken(size: int) -> bool:
        source = EventSource()
        first = Connection(size, lambda: run_through(store, accepted(store)))
        first.read(source, client, "/events", is_end)
        if not source.last_event_id:
            return first.was_cut  # it has not been told where it stands, and begins anew

        if source.said[-1:] != WHOLE[-1:]:
            Connection().read(source, client, "/events", is_end)

        assert source.said == WHOLE, size
        return first.was_cut

    broken_everywhere(broken)
