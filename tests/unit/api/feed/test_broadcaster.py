"""The watch: one thread reads for all who are subscribed, and nobody is left waiting for what doesn't come."""

from collections.abc import Iterator
from queue import Empty, SimpleQueue

import pytest

import api.feed.broadcaster as watching
from api.feed.broadcaster import BATCH, Broadcaster
from api.feed.subscription import MISSED, MOST_WAITING, STOPPING, TOO_SLOW
from errand.errors import StoreUnavailable
from errand.process.waiting import until
from errand.store import Event

JOB, OTHER = "job", "other"


class EventsByHand:
    """A stream of events: the test says what each reading gives, an error or the events there are then."""

    def __init__(self) -> None:
        self.answers: SimpleQueue[list[Event] | Exception] = SimpleQueue()
        self.readings: list[str] = []
        self.first: str | None = "0-1"
        self.down = False

    def happens(self, *numbers: int, job_id: str = JOB, data: str = "{}") -> None:
        self.answers.put([Event(f"{number}-0", job_id, "status", data) for number in numbers])

    def first_event(self) -> str | None:
        return self.first

    def last_event(self) -> str:
        if self.down:
            raise StoreUnavailable()
        return "1-0"

    def events_after(self, last: str, block_ms: int, most: int) -> list[Event]:
        self.readings.append(last)
        try:
            answer = self.answers.get(timeout=0.05)
        except Empty:
            return []
        if isinstance(answer, Exception):
            raise answer
        return answer

    def events_between(self, after: str, upto: str, most: int) -> list[Event]:
        raise NotImplementedError


@pytest.fixture
def store() -> EventsByHand:
    return EventsByHand()


@pytest.fixture
def watch(store: EventsByHand, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broadcaster]:
    monkeypatch.setattr(watching, "BACKOFF_SECONDS", (0.001,))
    watch = Broadcaster(store)
    yield watch
    watch.close()


def numbers(subscription, count: int) -> list[str]:
    return [subscription.next(5).number for _ in range(count)]


def test_a_subscriber_gets_what_happens_to_its_job_in_order_and_nothing_else(store, watch):
    with watch.subscribed(JOB) as subscription:
        store.happens(2, 3)
        store.happens(4, job_id=OTHER)
        store.happens(5)

        assert numbers(subscription, 3) == ["2-0", "3-0", "5-0"]
        assert subscription.next(0) is None


def test_a_subscriber_to_all_jobs_gets_everything(store, watch):
    with watch.subscribed() as all_jobs, watch.subscribed(JOB) as one, watch.subscribed(JOB) as another:
        store.happens(2, job_id=OTHER)
        store.happens(3)

        assert numbers(all_jobs, 2) == ["2-0", "3-0"]
        assert numbers(one, 1) == numbers(another, 1) == ["3-0"]


def test_nothing_is_read_before_somebody_is_subscribed_nor_long_after(store, watch, monkeypatch):
    monkeypatch.setattr(watching, "STAY_SECONDS", 0.0)
    assert watch._reader is None

    with watch.subscribed(JOB):
        until(lambda: store.readings, 5, "somebody reads")
    until(lambda: watch._reader is None, 5, "nobody reads")

    with watch.subscribed(JOB) as subscription:
        store.happens(2)
        assert numbers(subscription, 1) == ["2-0"]


def test_reading_begins_where_the_stream_ends_and_goes_on_where_it_was(store, watch):
    with watch.subscribed(JOB) as subscription:
        store.happens(7)
        numbers(subscription, 1)
        until(lambda: store.readings[-1] == "7-0", 5, "read on")

    assert store.readings[0] == "1-0"


def test_who_cannot_keep_up_gets_what_waits_for_him_and_is_ended_then(store, watch):
    with watch.subscribed(JOB) as slow, watch.subscribed(OTHER) as other:
        store.happens(*range(2, MOST_WAITING + 3))
        store.happens(5000, job_id=OTHER)

        assert numbers(other, 1) == ["5000-0"]
        assert numbers(slow, MOST_WAITING) == [f"{number}-0" for number in range(2, MOST_WAITING + 2)]
        assert slow.next(5) is TOO_SLOW
        assert watch.count == 1


@pytest.mark.parametrize("fault", [StoreUnavailable(), ValueError("a fault nobody has met yet")])
def test_while_the_store_is_away_subscribers_stay_and_then_lose_nothing(store, watch, fault):
    with watch.subscribed(JOB) as subscription:
        for _ in range(3):
            store.answers.put(fault)
        store.happens(2)

        assert numbers(subscription, 1) == ["2-0"]
        assert set(store.readings[:4]) == {"1-0"}


def test_when_events_made_room_before_they_were_read_all_have_to_come_again(store, watch):
    with watch.subscribed(JOB) as one, watch.subscribed() as all_jobs:
        store.first = "50-0"
        store.happens(*range(50, 50 + BATCH))

        assert one.next(5) is all_jobs.next(5) is MISSED
        assert one.next(0) is None


def test_a_full_reading_that_missed_nothing_ends_nobody(store, watch):
    with watch.subscribed(JOB) as subscription:
        store.happens(*range(2, 2 + BATCH))

        assert len(numbers(subscription, BATCH)) == BATCH
        assert subscription.next(0) is None


def test_who_subscribes_while_the_store_is_down_is_told_so(store, watch):
    store.down = True

    with pytest.raises(StoreUnavailable), watch.subscribed(JOB):
        pass

    assert (watch.count, watch._by_job) == (0, {})


def test_nothing_stays_of_a_subscription_that_is_over(watch):
    with watch.subscribed(JOB), watch.subscribed(JOB), watch.subscribed():
        assert watch.count == 3

    assert (watch.count, watch._by_job) == (0, {})


def test_when_the_process_stops_all_are_ended_and_so_is_who_comes_later(watch):
    with watch.subscribed(JOB) as one, watch.subscribed() as all_jobs:
        watch.close()

        assert one.next(5) is all_jobs.next(5) is STOPPING
    with watch.subscribed(JOB) as late:
        assert late.next(0) is STOPPING


def test_a_subscriber_knows_everything_up_to_where_the_watch_is_once_nothing_waits_for_him(store, watch):
    with watch.subscribed(JOB) as subscription:
        assert watch.position_of(subscription) == "1-0"

        store.happens(2)
        store.happens(3, job_id=OTHER)
        until(lambda: "3-0" in store.readings, 5, "read on")

        assert watch.position_of(subscription) is None
        numbers(subscription, 1)
        assert watch.position_of(subscription) == "3-0"


def test_the_watch_hands_events_on_without_reading_their_data(store, watch):
    with watch.subscribed(JOB) as subscription:
        store.happens(2, data="no JSON at all")

        assert subscription.next(5).data == "no JSON at all"
