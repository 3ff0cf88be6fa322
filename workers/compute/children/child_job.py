"""A job as the pool sees it: what is to be done, who listens, what has been decided about it.

Stands at step 4 of a job's life, between `pool.py`, which waits for its end, and `child_process.py`, which brings it
about.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any, Protocol

from eventlet.event import Event

from workers.compute.attempt import Ending
from workers.compute.children.output_lines import OutputLines

log = logging.getLogger(__name__)


class JobListener(Protocol):
    """Who is told of a job while it runs. Neither method may wait: the child's other news would wait too."""

    def progress(self, fraction: float, message: str | None) -> None:
        """Take how far the job has come, 0 to 1, and what it does."""

    def line(self, text: str) -> None:
        """Take a line of the job's log."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a child is to do for a job."""

    id: str
    operation: str
    arguments: str
    """A JSON object."""
    timeout: float
    """Seconds it may take."""
    memory: int = 0
    """Bytes it may use; 0 for the pool's default."""


class ChildJob:
    """A request on its way. `began`: when a child had begun with it (monotonic, s), or None; `ending`, once it has one.

    `verdict` is how it is to end by the worker's will; that holds unless it ended by itself just before. `due`: when
    it will have taken too long (monotonic, s).
    """

    __slots__ = ("_awaited", "_lines", "_listener", "began", "due", "ending", "on_end", "request", "verdict")

    def __init__(self, request: RunRequest, listener: JobListener) -> None:
        """Tell `listener` while it runs."""
        self.request, self._listener = request, listener
        self.on_end: Callable[[ChildJob, Ending], None] | None = None
        """Is called when it has ended."""
        self.verdict: Ending | None = None
        self.due = inf
        self._lines: OutputLines | None = None
        self.renew()

    def renew(self) -> None:
        """Forget that a child was to run it."""
        self.began: float | None = None
        self.ending: Ending | None = None
        self._awaited: Event | None = None

    @property
    def lines(self) -> OutputLines:
        """Its log, for what its child prints."""
        if self._lines is None:
            self._lines = OutputLines(self.line)
        return self._lines

    def progress(self, fraction: float, message: str | None) -> None:
        """Hand on how far it has come."""
        self._tell(self._listener.progress, fraction, message)

    def line(self, text: str) -> None:
        """Hand on a line of its log."""
        self._tell(self._listener.line, text)

    def begin(self) -> None:
        """Note that a child has begun with it: from now on its time counts."""
        self.began = monotonic()
        self.due = self.began + self.request.timeout

    def finish(self, ending: Ending) -> None:
        """Let those who wait know how it ended."""
        if self._lines is not None:
            self._lines.close()
        self.ending, self.due = ending, inf
        if self._awaited is not None:
            self._awaited.send()
        if self.on_end is not None:
            self.on_end(self, ending)

    def wait(self) -> Ending:
        """Wait until it has ended."""
        while self.ending is None:
            if self._awaited is None:
                self._awaited = Event()
            self._awaited.wait()
        return self.ending

    def _tell(self, hear: Callable[..., None], *news: Any) -> None:
        try:
            hear(*news)
        except Exception:
            log.exception("News of a job were not taken", extra={"action": "listener_fault", "job_id": self.request.id})
