"""Watches what happens to jobs: one thread reads the store's events for everybody in this process who watches.

Stands beside the whole life of a job, and only while somebody is subscribed. Next:
`subscription.py`, what a subscriber holds; `api/events/views.py` and `api/events/waiting.py` are the subscribers.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from threading import Lock, Thread
from time import monotonic
from typing import Final

from api.feed.subscription import MISSED, STOPPING, TOO_SLOW, Ended, Subscription
from api.ports import EventStore
from errand.backoff import pauses
from errand.errors import StoreUnavailable
from errand.store import Event

log = logging.getLogger(__name__)

BLOCK_MS: Final = 5_000
"""How long one reading waits for news."""
BATCH: Final = 1_000
"""Events in one reading at most."""
GATHER_SECONDS: Final = 0.002
"""Pause after a reading that had several events: fewer readings leave more of the process to the requests. An event
that comes alone is handed on at once."""
STAY_SECONDS: Final = 10.0
"""How long the thread goes on when nobody is subscribed any more, for the next one who is."""
BACKOFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between tries while the store is away; the last one is repeated."""


class Broadcaster:
    """The subscriptions of this process, and the thread that reads for them."""

    def __init__(self, store: EventStore) -> None:
        """Read from `store`, once somebody is subscribed."""
        self._store = store
        self._lock = Lock()
        self._reader: Thread | None = None
        self._position = "0-0"
        self._closed = Flag()
        # Replaced, never changed: the reader looks without the lock.
        self._by_job: dict[str | None, tuple[Subscription, ...]] = {}
        self.count = 0

    @contextmanager
    def subscribed(self, job_id: str | None = None) -> Iterator[Subscription]:
        """Subscribe to a job, or to all: nothing that happens from now on is missed. Raises StoreUnavailable."""
        subscription = Subscription(job_id)
        while not self._add(subscription, self._store.last_event() if self._reader is None else None):
            pass  # the reader has gone home since we looked
        try:
            yield subscription
        finally:
            self._remove(subscription)

    def position_of(self, subscription: Subscription) -> str | None:
        """Give the number up to which the subscriber knows everything; None while something waits for him."""
        position = self._position  # before we look: what came up to here has been handed over
        return position if subscription.is_up_to_date else None

    def close(self) -> None:
        """End all subscriptions, those to come as well: the process stops."""
        self._closed.set()
        self._end_all(STOPPING)

    def stops_within(self, seconds: float) -> bool:
        """Wait so long; True, at once, when the process stops."""
        return self._closed.wait(seconds)

    def _add(self, subscription: Subscription, latest: str | None) -> bool:
        with self._lock:
            if self._reader is None:
                if latest is None:
                    return False
                self._position = latest
                self._reader = Thread(target=self._read, name="watch", daemon=True)
                self._reader.start()
            self._by_job[subscription.job_id] = (*self._by_job.get(subscription.job_id, ()), subscription)
            self.count += 1
        if self._closed.is_set():
            subscription.end(STOPPING)
        return True

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            there = self._by_job.get(subscription.job_id, ())
            if subscription in there:
                self.count -= 1
                if left := tuple(other for other in there if other is not subscription):
                    self._by_job[subscription.job_id] = left
                else:
                    del self._by_job[subscription.job_id]

    def _end_all(self, ended: Ended) -> None:
        with self._lock:
            everybody = [each for subscriptions in self._by_job.values() for each in subscriptions]
        for subscription in everybody:
            self._end(subscription, ended)

    def _end(self, subscription: Subscription, ended: Ended) -> None:
        self._remove(subscription)
        subscription.end(ended)

    def _read(self) -> None:
        """Read and hand on, until nobody has been subscribed for a while."""
        steps, wanted_at = pauses(BACKOFF_SECONDS), monotonic()
        while not self._closed.is_set():
            if self.count:
                wanted_at = monotonic()
            elif monotonic() - wanted_at > STAY_SECONDS and self._go_home():
                return
            try:
                events = self._store.events_after(self._position, BLOCK_MS, BATCH)
                missed = len(events) == BATCH and self._has_missed_some()
            except StoreUnavailable as fault:
                log.warning("The events can't be read: %s", fault, extra={"action": "watch_lost"})
                self._closed.wait(next(steps))
                continue
            except Exception:
                # never let this thread die: subscribers would wait for ever
                log.exception("The watch met a fault it does not know", extra={"action": "watch_fault"})
                self._closed.wait(next(steps))
                continue
            steps = pauses(BACKOFF_SECONDS)
            if missed:
                self._end_all(MISSED)
            self._hand_on(events)
            if len(events) > 1:
                self._closed.wait(GATHER_SECONDS)

    def _go_home(self) -> bool:
        with self._lock:
            if self.count == 0:
                self._reader = None
            return self._reader is None

    def _has_missed_some(self) -> bool:
        """Tell whether events after our position may have made room for newer ones before we read them.

        Only to be asked after a full reading: the store keeps more events than that, so who was given less has all.
        """
        first = self._store.first_event()
        return first is not None and order(first) > order(self._position)

    def _hand_on(self, events: Sequence[Event]) -> None:
        for event in events:
            for subscription in self._by_job.get(event.id, ()):
                self._offer(subscription, event)
            for subscription in self._by_job.get(None, ()):
                self._offer(subscription, event)
        if events:
            self._position = events[-1].number

    def _offer(self, subscription: Subscription, event: Event) -> None:
        if not subscription.offer(event):
            self._end(subscription, TOO_SLOW)


def order(number: str) -> tuple[int, int]:
    """Give an event's number as something that can be compared."""
    ms, _, sequence = number.partition("-")
    return int(ms), int(sequence)
