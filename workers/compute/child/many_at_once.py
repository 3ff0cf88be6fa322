"""Runs operations in a child process many at a time, as tasks of one event loop: those of the weight `io`.

Next: `workers/compute/attempt.py`.
"""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Mapping
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from errand.job_error import JobError
from workers.compute.attempt import CANCELLED, Ending, MemoryExceeded, checked, failed, find, succeeded
from workers.compute.child.job_output import JobOutput, RoutedStream
from workers.compute.child.worker_channel import WorkerChannel
from workers.compute.children.frames import Frame
from workers.compute.children.process_tree import resident
from workers.operations.registry import RegisteredOperation, set_progress_reporter

SLOT_WAIT_SECONDS = 0.5
"""Seconds that a job waits here for a slot; then its worker hands it back for others to run."""


PACE, TICK = 32, 0.001
"""At most PACE jobs begin in TICK seconds. Jobs that begin together often end together, and then each waits for the
others: a thousand pauses of 100 ms that arrive a hundred at a time take 102 ms each; spread out they take 101."""


class WaitingJob(NamedTuple):
    """A job that waits for a slot."""

    operation: str
    arguments: str
    since: float
    """When it arrived, in the event loop's time."""


class ConcurrentRunner:
    """The main thread of a child that runs many jobs at a time."""

    def __init__(
        self, channel: WorkerChannel, operations: Mapping[str, RegisteredOperation], max_result_bytes: int, slots: int
    ) -> None:
        """Report on `channel`; run at most `slots` jobs at a time."""
        import uvloop  # not for children that run one job at a time

        self._channel, self._operations = channel, operations
        self._max_result_bytes, self._slots = max_result_bytes, slots
        self._loop = uvloop.new_event_loop()
        self._context = copy_context()
        self._waiting: OrderedDict[int, WaitingJob] = OrderedDict()
        self._tasks: dict[int, asyncio.Task[Ending]] = {}
        self._cancelled: set[int] = set()
        self._endings: list[tuple[int, Ending]] = []
        self._begun: list[int] = []
        self._hand_back_planned = self._report_planned = self._pausing = False
        self._tick, self._pace = 0.0, 0
        self._idle_size = resident()

    def handle(self, frames: list[Frame]) -> None:
        """Take frames of the worker; called by the channel's thread."""
        self._loop.call_soon_threadsafe(self._take, frames)

    def serve(self) -> None:
        """Run jobs until this process is ended."""
        sys.stdout, sys.stderr = RoutedStream(sys.stdout), RoutedStream(sys.stderr)
        set_progress_reporter(JobOutput.report)
        asyncio.set_event_loop(self._loop)
        while True:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # raised by a task that an operation started; whatever awaits that task gets it as well
                continue

    def _take(self, frames: list[Frame]) -> None:
        now = self._loop.time()
        for header, arguments in frames:
            if header["about"] == "run":
                self._waiting[header["job"]] = WaitingJob(header["operation"], arguments, now)
            else:
                self._cancel(header["job"])
        self._fill_slots()
        self._hand_back()

    def _fill_slots(self) -> None:
        """Begin with as many jobs as there are free slots, at most PACE in a tick."""
        if (now := self._loop.time()) >= self._tick + TICK:
            self._tick, self._pace = now, PACE
        while self._waiting and len(self._tasks) < self._slots:
            if not self._pace:
                if not self._pausing:
                    self._pausing = True
                    self._loop.call_later(TICK, self._end_pause)
                return
            self._pace -= 1
            self._begin()

    def _end_pause(self) -> None:
        self._pausing = False
        self._fill_slots()

    def _begin(self) -> None:
        """Begin with the job that has waited longest."""
        job, waiting = self._waiting.popitem(last=False)
        self._begun.append(job)
        self._plan_report()  # before its first step, which may block the loop
        # this may run at the end of another job, whose context variables must not leak into this one
        run, context = self._run(job, waiting.operation, waiting.arguments), self._context.copy()
        self._tasks[job] = task = self._loop.create_task(run, context=context)
        # a task may be cancelled before its first step, or survive its cancellation: only its end shows which
        task.add_done_callback(partial(self._done, job))

    def _hand_back(self) -> None:
        """Hand back the jobs that have waited too long, and plan to look again when the next one will have."""
        if self._hand_back_planned or not self._waiting:
            return
        now = self._loop.time()
        for job, waiting in list(self._waiting.items()):
            if now < waiting.since + SLOT_WAIT_SECONDS:
                self._hand_back_planned = True
                self._loop.call_at(waiting.since + SLOT_WAIT_SECONDS, self._hand_back_again)
                break
            del self._waiting[job]
            self._end(job, Ending("handed_back", JobError("HandedBack", "no slot came free for it in time").written()))

    def _hand_back_again(self) -> None:
        self._hand_back_planned = False
        self._hand_back()

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
        """Note how a job ended, and fill its slot at once."""
        del self._tasks[job]
        if job in self._cancelled:
            self._cancelled.discard(job)
            ending = replace(CANCELLED, trace=ending.trace)  # the worker may have ended it because its time was up
        self._end(job, ending)
        self._fill_slots()

    def _end(self, job: int, ending: Ending) -> None:
        self._endings.append((job, ending))
        self._plan_report()

    def _plan_report(self) -> None:
        """Report everything that happens in this turn of the loop together, at its end."""
        if not self._report_planned:
            self._report_planned = True
            self._loop.call_soon(self._report)

    def _report(self) -> None:
        self._report_planned = False
        begun, self._begun = self._begun, []
        endings, self._endings = self._endings, []
        started = {"about": "started", "jobs": begun, "size": self._idle_size}, ""
        self._channel.ended(endings, *([started] if begun else ()))

    async def _run(self, job: int, name: str, arguments: str) -> Ending:
        output = JobOutput(self._channel, job)
        output.use()
        retry_on: tuple[type[BaseException], ...] = ()
        try:
            operation = find(self._operations, name)
            retry_on = operation.retry_on
            ending = succeeded(await operation.function(**checked(operation, arguments)), self._max_result_bytes)
        except MemoryError as error:
            ending = failed(MemoryExceeded("there was no memory left for it"), retry_on, raised=error)
        except BaseException as error:  # noqa: BLE001 -- whatever an operation raises is data
            ending = failed(error, retry_on)
        output.close()
        if not self._tasks[job].cancelling():
            self._ended(job, ending)
        return ending
