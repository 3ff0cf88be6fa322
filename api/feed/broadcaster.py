"""Broadcasts the store's events: one thread reads them for every subscriber in this process.

It reads only while somebody is subscribed, and adds each event to the subscriptions to its job (`subscription.py`).
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
"""How long one read waits for events, in ms."""
BATCH: Final = 1_000
"""Maximum number of events in one read."""
GATHER_SECONDS: Final = 0.002
"""Pause after a read that returned several events: fewer reads leave more of the process to requests. A single event is
passed on at once."""
STAY_SECONDS: Final = 10.0
"""How long the thread keeps reading after the last subscriber has gone."""
BACKOFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between attempts while the store can't be reached; the last one repeats."""


class Broadcaster:
    """The subscriptions of this process, and the thread that reads events for them."""

    def __init__(self, store: EventStore) -> None:
        """Read from `store`, beginning with the first subscription."""
        self._store = store
        self._lock = Lock()
        self._reader: Thread | None = None
        self._position = "0-0"
        self._closed = Flag()
        # Tuples are replaced, never changed: the reader looks them up without the lock.
        self._by_job: dict[str | None, tuple[Subscription, ...]] = {}
        self.count = 0

    @contextmanager
    def subscribed(self, job_id: str | None = None) -> Iterator[Subscription]:
        """Subscribe to a job, or to all jobs; no event from now on is missed. Raises StoreUnavailable."""
        subscription = Subscription(job_id)
        while not self._add(subscription, self._store.last_event() if self._reader is None else None):
            pass  # the reader has ended since the check above
        try:
            yield subscription
        finally:
            self._remove(subscription)

    def position_of(self, subscription: Subscription) -> str | None:
        """Return the number of the event up to which the subscriber has everything; None while events wait."""
        position = self._position  # read first: everything up to here is in the subscriptions
        return position if subscription.is_up_to_date else None

    def close(self) -> None:
        """End all subscriptions, and every later one at once: the process stops."""
        self._closed.set()
        self._end_all(STOPPING)

    def stops_within(self, seconds: float) -> bool:
        """Wait up to `seconds`; return True as soon as the process stops."""
        return self._closed.wait(seconds)

    def _add(self, subscription: Subscription, latest: str | None) -> bool:
        with self._lock:
            if self._reader is None:
                if latest is None:
                    return False
                self._position = latest
                self._reader = Thread(target=self._read, name="broadcaster", daemon=True)
                self._reader.start()
            self._by_job[subscription.job_id] = (*self._by_job.get(subscription.job_id, ()), subscription)
            self.count += 1
        if self._closed.is_set():
            subscription.end(STOPPING)
        return True

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            current = self._by_job.get(subscription.job_id, ())
            if subscription in current:
                self.count -= 1
                if remaining := tuple(other for other in current if other is not subscription):
                    self._by_job[subscription.job_id] = remaining
                else:
                    del self._by_job[subscription.job_id]

    def _end_all(self, ended: Ended) -> None:
        with self._lock:
            subscriptions = [each for of_job in self._by_job.values() for each in of_job]
        for subscription in subscriptions:
            self._end(subscription, ended)

    def _end(self, subscription: Subscription, ended: Ended) -> None:
        self._remove(subscription)
        subscription.end(ended)

    def _read(self) -> None:
        """Read events and pass them on, until nobody has been subscribed for STAY_SECONDS."""
        steps, last_needed_at = pauses(BACKOFF_SECONDS), monotonic()
        while not self._closed.is_set():
            if self.count:
                last_needed_at = monotonic()
            elif monotonic() - last_needed_at > STAY_SECONDS and self._retire():
                return
            try:
                events = self._store.events_after(self._position, BLOCK_MS, BATCH)
                missed = len(events) == BATCH and self._has_missed_some()
            except StoreUnavailable as fault:
                log.warning("Can't read events: %s", fault, extra={"action": "watch_lost"})
                self._closed.wait(next(steps))
                continue
            except Exception:
                # the thread must not die: subscribers would wait for ever
                log.exception("Unexpected error in the broadcaster", extra={"action": "watch_fault"})
                self._closed.wait(next(steps))
                continue
            steps = pauses(BACKOFF_SECONDS)
            if missed:
                self._end_all(MISSED)
            self._pass_on(events)
            if len(events) > 1:
                self._closed.wait(GATHER_SECONDS)

    def _retire(self) -> bool:
        with self._lock:
            if self.count == 0:
                self._reader = None
            return self._reader is None

    def _has_missed_some(self) -> bool:
        """Return whether the store may have dropped events after our position before we read them.

        Ask only after a full read: the store keeps more events than one read returns, so a shorter one missed none.
        """
        first = self._store.first_event()
        return first is not None and order(first) > order(self._position)

    def _pass_on(self, events: Sequence[Event]) -> None:
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
    """Return an event's number in a form that can be compared."""
    ms, _, sequence = number.partition("-")
    return int(ms), int(sequence)
