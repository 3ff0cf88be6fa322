"""The slot of a long request: it has a thread of its own, but only a few such threads work at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Semaphore
from typing import Final

from flask import request

SLOT_KEY: Final = "errand.long_request_slot"
"""Key in the WSGI environment. Present when the request has a thread of its own and may therefore take long."""


class LongRequestSlot:
    """Limits how many long requests run Python at the same time; the others wait.

    A thousand open streams that all worked at once would starve the short requests of the process.
    """

    def __init__(self, working: Semaphore) -> None:
        """Share the semaphore `working` with the other slots of the process."""
        self._working = working

    @contextmanager
    def working(self) -> Iterator[None]:
        """Wait until this request may work. The dispatcher does this around a view, until the view returns."""
        with self._working:
            yield

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Let another long request work while a view waits for something."""
        self._working.release()
        try:
            yield
        finally:
            self._working.acquire()


def current_slot() -> LongRequestSlot | None:
    """Return the slot of the current request; None when it has no thread of its own and must not take long."""
    slot: LongRequestSlot | None = request.environ.get(SLOT_KEY)
    return slot
