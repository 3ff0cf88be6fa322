"""A job in the pool: what its child is to run, who listens to it, and how it ends.

`pool.py` waits for its end, `child_process.py` brings the end about.
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
    """Receives what a job reports while it runs. No method may block: other reports of the child would wait too."""

    def progress(self, fraction: float, message: str | None) -> None:
        """Take the job's progress, 0 to 1, and what it is doing."""

    def line(self, text: str) -> None:
        """Take a line of the job's log."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a child is asked to run."""

    id: str
    """Name of the attempt, unique in its pool."""
    operation: str
    arguments: str
    """A JSON object."""
    timeout: float
    """Seconds the operation may take."""
    memory: int = 0
    """Bytes the operation may use; 0 for the pool's default."""


class ChildJob:
    """A request on its way through the pool."""

    __slots__ = ("_awaited", "_lines", "_listener", "began", "due", "ending", "memory", "on_end", "request", "verdict")

    def __init__(self, request: RunRequest, listener: JobListener, default_memory: int) -> None:
        """Report to `listener` while the job runs."""
        self.request, self._listener = request, listener
        self.memory = request.memory or default_memory
        """Bytes it may use."""
        self.on_end: Callable[[ChildJob, Ending], None] | None = None
        """Called when it has ended."""
        self.verdict: Ending | None = None
        """How it is to end once the worker has decided to end it, unless it ended by itself just before."""
        self.due = inf
        """When its time will be up (monotonic, s)."""
        self._lines: OutputLines | None = None
        self.reset()

    def reset(self) -> None:
        """Forget the child it was given to, so that another can run it."""
        self.began: float | None = None
        """When a child began to run it (monotonic, s)."""
        self.ending: Ending | None = None
        """How it ended."""
        self._awaited: Event | None = None

    @property
    def lines(self) -> OutputLines:
        """Its log, for what its child prints."""
        if self._lines is None:
            self._lines = OutputLines(self.line)
        return self._lines

    def progress(self, fraction: float, message: str | None) -> None:
        """Pass its progress on."""
        self._report(self._listener.progress, fraction, message)

    def line(self, text: str) -> None:
        """Pass a line of its log on."""
        self._report(self._listener.line, text)

    def begin(self) -> None:
        """Note that a child has begun to run it: its timeout counts from now."""
        self.began = monotonic()
        self.due = self.began + self.request.timeout

    def finish(self, ending: Ending) -> None:
        """Note how it ended, and wake or call the greenthreads that wait for that."""
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

    def _report(self, receive: Callable[..., None], *report: Any) -> None:
        try:
            receive(*report)
        except Exception:
            log.exception("The listener of a job failed", extra={"action": "listener_fault", "job_id": self.request.id})
