"""A subscription to the events of a job, or of all jobs: events wait in it until its subscriber takes them.

`broadcaster.py` puts them in; `api/events/stream.py` and `api/events/wait_for_end.py` take them out.
"""

from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final

from errand.store import Event

MOST_WAITING: Final = 1_000
"""Events that may wait for one subscriber; a slower one is disconnected and has to resume."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a subscription, with its reason. A client that resumes after its last event loses nothing."""

    why: str


STOPPING: Final = Ended("the server stops")
TOO_SLOW: Final = Ended("too many events wait for you")
MISSED: Final = Ended("there were more events than the store keeps")


class Subscription:
    """The queue of one subscriber."""

    __slots__ = ("_waiting", "job_id")

    def __init__(self, job_id: str | None) -> None:
        """Subscribe to this job; None: to all jobs."""
        self.job_id = job_id
        self._waiting: SimpleQueue[Event | Ended] = SimpleQueue()

    def next(self, seconds: float) -> Event | Ended | None:
        """Wait up to `seconds` for the next event; return None when none came."""
        try:
            return self._waiting.get(timeout=max(0.0, seconds))
        except Empty:
            return None

    def offer(self, event: Event) -> bool:
        """Add an event; return False when too many wait already. Only one thread may call it."""
        if self._waiting.qsize() >= MOST_WAITING:
            return False
        self._waiting.put(event)
        return True

    def end(self, ended: Ended) -> None:
        """End the subscription after the events that wait now."""
        self._waiting.put(ended)

    @property
    def is_up_to_date(self) -> bool:
        """Return whether no event waits."""
        return self._waiting.empty()
