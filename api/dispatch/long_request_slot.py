"""The slot that a long request holds: a thread of its own, of which only a few work at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Semaphore
from typing import Final

from flask import request

SLOT_KEY: Final = "errand.long_request_slot"
"""Key in the WSGI environment. Present when the request has a thread of its own and may therefore take long."""


class LongRequestSlot:
    """Lets a long request take turns with the others: only a few of them run Python at the same time.

    A thousand open streams that all worked at once would starve the short requests of the process.
    """

    def __init__(self, turns: Semaphore) -> None:
        """Share `turns` with the other slots of the process."""
        self._turns = turns

    @contextmanager
    def working(self) -> Iterator[None]:
        """Wait for a turn and hold it. The dispatcher does this around a view, until the view returns."""
        with self._turns:
            yield

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Give the turn back while a view waits for something."""
        self._turns.release()
        try:
            yield
        finally:
            self._turns.acquire()


def current_slot() -> LongRequestSlot | None:
    """Return the slot of the current request; None when it has no thread of its own and must not take long."""
    slot: LongRequestSlot | None = request.environ.get(SLOT_KEY)
    return slot
