"""The right of a request to take long: it has a thread of its own, and works when it is its turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Semaphore
from typing import Final

from flask import request

PLACE: Final = "errand.place"
"""Key in a request's environment: it may take long, for it has a thread of its own."""


class LongRequestSlot:
    """The right to take long. Of those who have it only some work at a time: the others stand by, as it should be.

    A thousand that all do something at once would keep the process from everything else.
    """

    def __init__(self, turns: Semaphore) -> None:
        """Share `turns` with the other places."""
        self._turns = turns

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Do something, when it is our turn. A view does anyway, until it has returned its answer."""
        with self._turns:
            yield

    @contextmanager
    def standing_by(self) -> Iterator[None]:
        """Wait for something inside of a view."""
        self._turns.release()
        try:
            yield
        finally:
            self._turns.acquire()


def place() -> LongRequestSlot | None:
    """Give the place of the request that is being answered; None when it has none and must not take long."""
    found: LongRequestSlot | None = request.environ.get(PLACE)
    return found
