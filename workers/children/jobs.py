"""A job as the pool sees it: what is to be done, who listens, what has been decided about it.

Stands at step 4 of a job's life, between `pool.py`, which waits for its end, and `process.py`, which brings it about.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from eventlet.event import Event

from workers.attempt import Ending
from workers.children.lines import Lines

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who is told of a job while it runs. Neither method may wait: the child's other news would wait too."""

    def progress(self, fraction: float, message: str | None) -> None:
        """Take how far the job has come, 0 to 1, and what it does."""

    def line(self, text: str) -> None:
        """Take a line of the job's log."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a child is to do for a job."""

    id: str
    operation: str
    arguments: str
    """A JSON object."""
    timeout: float
    """Seconds it may take."""
    memory: int = 0
    """Bytes it may use; 0 for the pool's default."""


class Job:
    """A task on its way. `began` is when a child had begun with it (monotonic, s), or None; `ended` has its Ending."""

    def __init__(self, task: Task, listener: Listener) -> None:
        """Tell `listener` while it runs."""
        self.task, self._listener = task, listener
        self.verdict: Ending | None = None
        """How it is to end by the worker's will; holds unless it ended by itself just before."""
        self.renew()

    def renew(self) -> None:
        """Forget that a child was to run it."""
        self.began: float | None = None
        self.ended = Event()

    @cached_property
    def lines(self) -> Lines:
        """Its log, for what its child prints."""
        return Lines(self.line)

    def progress(self, fraction: float, message: str | None) -> None:
        """Hand on how far it has come."""
        self._tell(self._listener.progress, fraction, message)

    def line(self, text: str) -> None:
        """Hand on a line of its log."""
        self._tell(self._listener.line, text)

    def finish(self, ending: Ending) -> None:
        """Let the one who waits know how it ended."""
        if "lines" in self.__dict__:
            self.lines.close()
        self.ended.send(ending)

    def _tell(self, hear: Callable[..., None], *news: Any) -> None:
        try:
            hear(*news)
        except Exception:
            log.exception("News of a job were not taken", extra={"action": "listener_fault", "job_id": self.task.id})
