"""What somebody who watches a job holds: events wait here until they are taken.

Stands between `broadcaster.py`, whose thread puts them in, and `api/events/views.py` and `api/events/waiting.py`,
which take them out.
"""

from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final

from errand.store import Event

MOST_WAITING: Final = 1_000
"""Events that may wait for one subscriber; one who is slower than that has to come again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more comes, and why; who resumes where the last event was loses nothing."""

    why: str


STOPPING: Final = Ended("the server stops")
TOO_SLOW: Final = Ended("too many events wait for you")
MISSED: Final = Ended("there were more events than the store keeps")


class Subscription:
    """One who watches: a job, or all of them. What happens waits here until it is taken."""

    __slots__ = ("_waiting", "job_id")

    def __init__(self, job_id: str | None) -> None:
        """Watch this job; None: all."""
        self.job_id = job_id
        self._waiting: SimpleQueue[Event | Ended] = SimpleQueue()

    def next(self, seconds: float) -> Event | Ended | None:
        """Wait for what comes next; None when nothing came within `seconds`."""
        try:
            return self._waiting.get(timeout=max(0.0, seconds))
        except Empty:
            return None

    def offer(self, event: Event) -> bool:
        """Hand an event over; False when too many wait already. One thread offers, so none slips in between."""
        if self._waiting.qsize() >= MOST_WAITING:
            return False
        self._waiting.put(event)
        return True

    def end(self, ended: Ended) -> None:
        """Let nothing come after what waits now."""
        self._waiting.put(ended)

    @property
    def is_up_to_date(self) -> bool:
        """Tell whether nothing waits."""
        return self._waiting.empty()
