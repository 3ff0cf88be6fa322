"""Runs operations in a child process many at a time, as tasks of one event loop.

Stands at step 4 of a job's life, for operations of the weight `io`. What a task prints or logs goes to its own job:
the output is told apart by the task's context. Next: `attempt.py`.
"""

import asyncio
import io
import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any, TextIO

from workers.attempt import Ending, MemoryExceeded, checked, error_text, failed, find, succeeded
from workers.children.family import resident
from workers.children.frames import Frame, Header
from workers.children.lines import Lines
from workers.children.wire import Wire
from workers.operations.registry import Operation, report_to

_lines: ContextVar[Lines | None] = ContextVar("lines", default=None)


class Together:
    """The main thread of a child that runs many jobs at a time."""

    def __init__(self, wire: Wire, operations: Mapping[str, Operation], max_result_bytes: int) -> None:
        """Answer on `wire`."""
        self._wire, self._operations, self._max_result_bytes = wire, operations, max_result_bytes
        self._loop = asyncio.new_event_loop()
        self._tasks: dict[int, asyncio.Task[Ending]] = {}
        self._cancelled: set[int] = set()
        self._endings: list[tuple[int, Ending]] = []

    def handle(self, frames: list[Frame]) -> None:
        """Take what the worker says; called by the wire's thread."""
        self._loop.call_soon_threadsafe(self._take, frames)

    def serve(self) -> None:
        """Run jobs until this process is ended."""
        sys.stdout, sys.stderr = Routed(sys.stdout), Routed(sys.stderr)
        asyncio.set_event_loop(self._loop)
        while True:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # raised by a task that an operation started; who awaits that task gets it as well
                continue

    def _take(self, frames: list[Frame]) -> None:
        runs = [frame for frame in frames if frame[0]["about"] == "run"]
        if runs:
            size = resident()  # of what is here before them
            self._wire.send(*(({"about": "started", "job": header["job"], "size": size}, "") for header, _ in runs))
        for header, arguments in runs:
            self._start(header, arguments)
        for header, _ in frames:
            if header["about"] == "cancel":
                self._cancel(header)

    def _start(self, header: Header, arguments: str) -> None:
        job = header["job"]
        self._tasks[job] = self._loop.create_task(self._run(job, header["operation"], arguments))
        # not inside the task: one that is cancelled before its first step never runs
        self._tasks[job].add_done_callback(partial(self._ended, job))

    def _cancel(self, header: Header) -> None:
        if task := self._tasks.get(header["job"]):
            self._cancelled.add(header["job"])
            task.cancel()

    def _ended(self, job: int, task: "asyncio.Task[Ending]") -> None:
        del self._tasks[job]
        if job in self._cancelled:
            self._cancelled.discard(job)
            ending = Ending("cancelled", error_text("Cancelled", "cancelled while it ran"))
        else:  # an operation may also have cancelled itself
            ending = failed(asyncio.CancelledError()) if task.cancelled() else task.result()
        if not self._endings:
            self._loop.call_soon(self._tell)  # of all that end in this turn of the loop
        self._endings.append((job, ending))

    def _tell(self) -> None:
        endings, self._endings = self._endings, []
        self._wire.ended(*endings)

    async def _run(self, job: int, name: str, arguments: str) -> Ending:
        lines = Lines(partial(self._wire.line, job))
        _lines.set(lines)
        report_to(partial(self._wire.progress, job))
        retry_on: tuple[type[BaseException], ...] = ()
        try:
            operation = find(self._operations, name)
            retry_on = operation.retry_on
            return succeeded(await operation.function(**checked(operation, arguments)), self._max_result_bytes)
        except MemoryError:
            return failed(MemoryExceeded("there was no memory left for it"), retry_on)
        except BaseException as error:  # noqa: BLE001 -- whatever an operation raises is data
            return failed(error, retry_on)
        finally:
            lines.close()


class Routed(io.TextIOBase):
    """Standard output that goes to the job in whose context it is written, or else where it always went."""

    _writing = threading.Lock()

    def __init__(self, stream: TextIO) -> None:
        """Leave to `stream` what no job writes."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write to the job's log."""
        if (lines := _lines.get()) is None:
            return self._stream.write(text)
        with self._writing:  # a job may print from several threads
            lines.feed(text.encode("utf-8", "backslashreplace"))
        return len(text)

    def flush(self) -> None:
        """Hand on what no job wrote."""
        self._stream.flush()

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def fileno(self) -> int:
        """Give the descriptor of the process's own output."""
        return self._stream.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
