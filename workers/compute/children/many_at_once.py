"""Runs operations in a child process many at a time, as tasks of one event loop.

Stands at step 4 of a job's life, for operations of the weight `io`. What a task prints or logs goes to its own job:
the output is told apart by the task's context. Next: `workers/compute/attempt.py`.
"""

import asyncio
import io
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any, NamedTuple, TextIO

from workers.compute.attempt import CANCELLED, Ending, MemoryExceeded, checked, error_text, failed, find, succeeded
from workers.compute.children.frames import Frame
from workers.compute.children.output_lines import OutputLines
from workers.compute.children.process_tree import resident
from workers.compute.children.worker_channel import WorkerChannel
from workers.operations.registry import RegisteredOperation, set_progress_reporter

_voice: ContextVar["JobOutput | None"] = ContextVar("voice", default=None)


PATIENCE = 0.5
"""Seconds that a job waits here for a slot; then its worker gives it back, for others to run."""


PACE, TICK = 32, 0.001
"""So many jobs begin in so many seconds at most. What begins together often ends together, and then each waits for the
others: a thousand pauses of 100 ms that come in a hundred at a time take 102 ms each, and spread 101."""


class WaitingJob(NamedTuple):
    """A job that waits for a slot, since a time of the loop."""

    operation: str
    arguments: str
    since: float


class ConcurrentRunner:
    """The main thread of a child that runs many jobs at a time."""

    def __init__(
        self, wire: WorkerChannel, operations: Mapping[str, RegisteredOperation], max_result_bytes: int, slots: int
    ) -> None:
        """Answer on `wire`; run so many at a time."""
        import uvloop  # not for children that run one job at a time

        self._wire, self._operations, self._max_result_bytes, self._slots = wire, operations, max_result_bytes, slots
        self._loop = uvloop.new_event_loop()
        self._context = copy_context()
        self._waiting: OrderedDict[int, WaitingJob] = OrderedDict()
        self._tasks: dict[int, asyncio.Task[Ending]] = {}
        self._cancelled: set[int] = set()
        self._endings: list[tuple[int, Ending]] = []
        self._begun: list[int] = []
        self._looking = self._telling = self._pausing = False
        self._tick, self._pace = 0.0, 0
        self._size = resident()  # of what is here before them

    def handle(self, frames: list[Frame]) -> None:
        """Take what the worker says; called by the wire's thread."""
        self._loop.call_soon_threadsafe(self._take, frames)

    def serve(self) -> None:
        """Run jobs until this process is ended."""
        sys.stdout, sys.stderr = RoutedStream(sys.stdout), RoutedStream(sys.stderr)
        report_to(JobOutput.report)
        asyncio.set_event_loop(self._loop)
        while True:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # raised by a task that an operation started; who awaits that task gets it as well
                continue

    def _take(self, frames: list[Frame]) -> None:
        now = self._loop.time()
        for header, arguments in frames:
            if header["about"] == "run":
                self._waiting[header["job"]] = WaitingJob(header["operation"], arguments, now)
            else:
                self._cancel(header["job"])
        self._fill()
        self._give_back()

    def _fill(self) -> None:
        """Begin with those for which there are slots, some at a time: what begins together also ends together."""
        if (now := self._loop.time()) >= self._tick + TICK:
            self._tick, self._pace = now, PACE
        while self._waiting and len(self._tasks) < self._slots:
            if not self._pace:
                if not self._pausing:
                    self._pausing = True
                    self._loop.call_later(TICK, self._go_on)
                return
            self._pace -= 1
            self._begin()

    def _go_on(self) -> None:
        self._pausing = False
        self._fill()

    def _begin(self) -> None:
        """Begin with the job that has waited longest."""
        job, waiting = self._waiting.popitem(last=False)
        self._begun.append(job)
        self._have_told()  # before its first step, which may hold everything up
        # called from the end of another, it must not begin with what that one set
        run, context = self._run(job, waiting.operation, waiting.arguments), self._context.copy()
        self._tasks[job] = task = self._loop.create_task(run, context=context)
        # for one that is cancelled, by whomever: whether it ends by that, or before its first step, shows only then
        task.add_done_callback(partial(self._done, job))

    def _give_back(self) -> None:
        """Give back what has waited for too long, and look again when the next one will have."""
        if self._looking or not self._waiting:
            return
        now = self._loop.time()
        for job, waiting in list(self._waiting.items()):
            if now < waiting.since + PATIENCE:
                self._looking = True
                self._loop.call_at(waiting.since + PATIENCE, self._look_again)
                break
            del self._waiting[job]
            self._end(job, Ending("handed_back", error_text("HandedBack", "no slot came free for it in time")))

    def _look_again(self) -> None:
        self._looking = False
        self._give_back()

    def _cancel(self, job: int) -> None:
        if task := self._tasks.get(job):
            self._cancelled.add(job)
            task.cancel()
        elif self._waiting.pop(job, None):
            self._end(job, CANCELLED)

    def _done(self, job: int, task: "asyncio.Task[Ending]") -> None:
        if job in self._tasks:
            self._ended(job, failed(asyncio.CancelledError()) if task.cancelled() else task.result())

    def _ended(self, job: int, ending: Ending) -> None:
        """Note how a job ended, and begin with another at once: the slot stands empty."""
        del self._tasks[job]
        if job in self._cancelled:
            self._cancelled.discard(job)
            ending = CANCELLED
        self._end(job, ending)
        self._fill()

    def _end(self, job: int, ending: Ending) -> None:
        self._endings.append((job, ending))
        self._have_told()

    def _have_told(self) -> None:
        """Have the worker told of all that happens in this turn of the loop."""
        if not self._telling:
            self._telling = True
            self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = False
        begun, self._begun = self._begun, []
        endings, self._endings = self._endings, []
        started = {"about": "started", "jobs": begun, "size": self._size}, ""
        self._wire.ended(endings, *([started] if begun else ()))

    async def _run(self, job: int, name: str, arguments: str) -> Ending:
        voice = JobOutput(self._wire, job)
        _voice.set(voice)
        retry_on: tuple[type[BaseException], ...] = ()
        try:
            operation = find(self._operations, name)
            retry_on = operation.retry_on
            ending = succeeded(await operation.function(**checked(operation, arguments)), self._max_result_bytes)
        except MemoryError:
            ending = failed(MemoryExceeded("there was no memory left for it"), retry_on)
        except BaseException as error:  # noqa: BLE001 -- whatever an operation raises is data
            ending = failed(error, retry_on)
        voice.close()
        if not self._tasks[job].cancelling():
            self._ended(job, ending)
        return ending


class JobOutput:
    """What a job has to say. It is found by the context of whoever speaks: its task, those it starts, its threads."""

    __slots__ = ("_job", "_lines", "_wire")

    def __init__(self, wire: WorkerChannel, job: int) -> None:
        """Speak for a job."""
        self._wire, self._job = wire, job
        self._lines: OutputLines | None = None

    def write(self, data: bytes) -> None:
        """Take what it prints."""
        if self._lines is None:
            self._lines = OutputLines(partial(self._wire.line, self._job))
        self._lines.feed(data)

    def close(self) -> None:
        """Say what is left."""
        if self._lines is not None:
            self._lines.close()

    @staticmethod
    def report(fraction: float, message: str | None) -> None:
        """Tell how far the job has come that asks."""
        if voice := _voice.get():
            voice._wire.progress(voice._job, fraction, message)


class RoutedStream(io.TextIOBase):
    """Standard output that goes to the job in whose context it is written, or else where it always went."""

    _writing = threading.Lock()

    def __init__(self, stream: TextIO) -> None:
        """Leave to `stream` what no job writes."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write to the job's log."""
        if (voice := _voice.get()) is None:
            return self._stream.write(text)
        with self._writing:  # a job may print from several threads
            voice.write(text.encode("utf-8", "backslashreplace"))
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
