"""Sorts the output of a child that runs many jobs at a time: each job's prints and reports go to its own log.

A context variable says which job is running: tasks and threads that a job starts inherit it.
"""

import io
import threading
from contextvars import ContextVar
from functools import partial
from typing import Any, TextIO

from workers.compute.child.worker_channel import WorkerChannel
from workers.compute.children.output_lines import OutputLines

_current: ContextVar["JobOutput | None"] = ContextVar("job_output", default=None)


class JobOutput:
    """What one job prints and reports."""

    __slots__ = ("_channel", "_job", "_lines")

    def __init__(self, channel: WorkerChannel, job: int) -> None:
        """Send it to the worker, for the job with this number."""
        self._channel, self._job = channel, job
        self._lines: OutputLines | None = None

    def use(self) -> None:
        """Take the output of the current context, and of those that are copied from it."""
        _current.set(self)

    def write(self, data: bytes) -> None:
        """Take what the job prints."""
        if self._lines is None:
            self._lines = OutputLines(partial(self._channel.line, self._job))
        self._lines.feed(data)

    def close(self) -> None:
        """Send what is left."""
        if self._lines is not None:
            self._lines.close()

    @staticmethod
    def report(fraction: float, message: str | None) -> None:
        """Report the progress of the job in whose context this is called."""
        if output := _current.get():
            output._channel.progress(output._job, fraction, message)


class RoutedStream(io.TextIOBase):
    """Standard output or error: what a job writes goes to its log, everything else where it always went."""

    _writing = threading.Lock()

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream` what no job writes."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write to the log of the job in whose context this is called."""
        if (output := _current.get()) is None:
            return self._stream.write(text)
        with self._writing:  # a job may print from several threads
            output.write(text.encode("utf-8", "backslashreplace"))
        return len(text)

    def flush(self) -> None:
        """Flush the process's own output."""
        self._stream.flush()

    def writable(self) -> bool:
        """Return True: prints are written to it."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the process's own output."""
        return self._stream.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
