"""Reads the stream of events to its end and passes on each event once, even if the store fails in between."""

import threading
from collections.abc import Callable

from errand.errors import StoreUnavailable
from errand.store import Event, Store

BLOCK_MS = 500
MOST = 2000
PAUSE = 0.1
BEGINNING = "0-0"


class EventReader:
    """A thread that reads all events from the first one."""

    def __init__(self, store: Store, take: Callable[[Event], object]) -> None:
        """Pass each event of `store` to `take`."""
        self.gaps = 0
        """Number of times that entries left the stream before they were read."""
        self._store, self._take = store, take
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reader")

    def start(self) -> None:
        """Start reading."""
        self._thread.start()

    def stop(self) -> None:
        """Read to the end of the stream, then stop."""
        self._stopping.set()
        self._thread.join()

    def _read(self) -> None:
        last = BEGINNING
        while True:
            stopping = self._stopping.is_set()
            try:
                first = self._store.first_event()
                events = self._store.events_after(last, BLOCK_MS, MOST)
            except StoreUnavailable:
                self._stopping.wait(PAUSE)
                continue
            if last != BEGINNING and first is not None and _order(first) > _order(last):
                self.gaps += 1
            for event in events:
                self._take(event)
                last = event.number
            if stopping and not events:
                return


def seconds(event: Event) -> float:
    """Return when the event happened, by the store's clock (s since 1970)."""
    return _order(event.number)[0] / 1000


def _order(number: str) -> tuple[int, int]:
    milliseconds, _, place = number.partition("-")
    return int(milliseconds), int(place)
