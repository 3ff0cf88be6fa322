"""One child process as its worker sees it: gives it jobs, takes its reports and its output, ends it.

Everything here waits on eventlet's hub and never blocks it. What the child prints arrives through a pipe, what it
reports through a socket. Next: `child_start.py`, then `workers/compute/child/__main__.py` on the other side.
"""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import eventlet
from eventlet.event import Event

from errand.job_error import JobError
from schemas.operations import Weight
from workers.compute.attempt import ChildDied, Ending, failed
from workers.compute.children import hub_io
from workers.compute.children.child_job import ChildJob
from workers.compute.children.child_start import ChildConfig, start_child
from workers.compute.children.frames import FrameReader, Header, pack
from workers.compute.children.output_lines import OutputLines
from workers.compute.children.process_tree import memory_of, tree_of
from workers.compute.children.stack_dump import SIGNAL
from workers.compute.trace import NO_TRACE, Trace
from workers.stopping import STOP

log = logging.getLogger(__name__)

DUMP_SECONDS, DUMP_LOOK_SECONDS = 0.2, 0.01
"""How long a child that is stuck may take to dump its stack, and how often the worker looks. It takes milliseconds."""
STOP_SIGNALS = frozenset({-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP})
"""How a process ends that got the signal meant for its worker, as `subprocess` gives it."""


class ChildProcess:
    """One child process."""

    def __init__(self, config: ChildConfig, folder: Path, on_end: Callable[["ChildProcess"], None]) -> None:
        """Start the process in `folder`, which is removed at its end; raise OSError.

        `on_end` is called when the process has ended, before its jobs learn of it.
        """
        self.config, self._folder, self._on_end = config, folder, on_end
        self.jobs: dict[int, ChildJob] = {}
        """The jobs it was given, by the number that its frames give them."""
        self.usable, self.ready, self.ended = True, Event(), Event()
        self.fault = ""
        """Why it couldn't start."""
        self._fault_trace = NO_TRACE
        self._idle_size, self._number, self._killed = 0, 0, False
        self._unsent: list[bytes] = []
        self._frames = FrameReader()
        self._own_lines = OutputLines(lambda line: log.info("%s", line, extra={"action": "child_output"}))
        self._process, self._channel, self._output, self._dump = start_child(config, self._folder)
        self.pid = self._process.pid
        self._loops = [eventlet.spawn(self._receive), eventlet.spawn(self._read_output)]
        eventlet.spawn_n(self._await_end)

    def run(self, job: ChildJob) -> None:
        """Give the child a job, once the child is ready."""
        self._number += 1
        number = self._number
        header = {"about": "run", "job": number, "operation": job.request.operation, "memory": job.memory}
        frame = pack(header, job.request.arguments)
        self.jobs[number] = job
        if not self.ready.ready():
            self.ready.wait()
        if job.verdict and self.jobs.pop(number, None):
            job.finish(job.verdict)
        else:
            self._send(frame)

    def cancel(self, job: ChildJob) -> None:
        """Ask the child to cancel a job; only a child that runs many at a time can."""
        for number in [number for number, each in self.jobs.items() if each is job]:
            self._send(pack({"about": "cancel", "job": number}))

    def dump_and_kill(self) -> None:
        """End the child once it has dumped where it is stuck, or couldn't in time."""
        if self._killed or self.ended.ready():
            return
        self.usable = False
        with suppress(ProcessLookupError):
            os.kill(self.pid, SIGNAL)
        looks = round(DUMP_SECONDS / DUMP_LOOK_SECONDS)
        while looks and not self.ended.ready() and not self._dump.is_complete():
            looks -= 1
            eventlet.sleep(DUMP_LOOK_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End the child at once, with all its descendants; its jobs end when it has ended."""
        if self._killed or self.ended.ready():
            return
        self._killed, self.usable = True, False
        tree = tree_of(self.pid)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in tree[1:]:  # some may have left the process group
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def memory(self) -> int:
        """Return the bytes that its jobs have added to it."""
        return memory_of(tree_of(self.pid)) - self._idle_size

    def _send(self, frame: bytes) -> None:
        """Send a frame in the next turn of the hub, together with all others until then."""
        self._unsent.append(frame)
        if len(self._unsent) == 1:
            eventlet.spawn_n(self._flush)

    def _flush(self) -> None:
        try:
            while self._unsent and not self.ended.ready():
                count = len(self._unsent)
                hub_io.write(self._channel, b"".join(self._unsent))
                del self._unsent[:count]
        except OSError:  # it has ended; `_await_end` does the rest
            return
        except Exception:
            log.exception("Sending to a child failed; it is killed", extra={"action": "child_fault"})
            self.kill()

    def _receive(self) -> None:
        try:
            while data := hub_io.read(self._channel):
                self._take(data)
        except Exception:
            log.exception("A child sent an invalid report; it is killed", extra={"action": "child_fault"})
            self.kill()

    def _read_output(self) -> None:
        """Take what the child prints. A flood fills the pipe and so blocks the child, not the worker."""
        while data := hub_io.read(self._output):
            self._lines().feed(data)
            eventlet.sleep(hub_io.PAUSE_SECONDS if len(data) >= hub_io.LARGE_READ else 0)

    def _read_rest_of_output(self) -> None:
        """Take what the child has printed until now."""
        for data in hub_io.available(self._output):
            self._lines().feed(data)

    def _lines(self) -> OutputLines:
        """Return the log for what arrives by the pipe: that of the only running job, or else the worker's own."""
        if self.config.weight is Weight.IO or not self.ready.ready():
            return self._own_lines
        return next((job.lines for job in self.jobs.values()), self._own_lines)

    def _take(self, data: bytes) -> None:
        for header, payload in self._frames.feed(data):
            if job := self.jobs.get(header.get("job", 0)):
                self._take_report(job, header, payload)
            elif header["about"] == "started":
                self._take_starts(header)
            elif header["about"] == "ready":
                self._read_rest_of_output()  # from now on, what it prints belongs to a job
                self.ready.send(self.pid)
            elif header["about"] == "broken":
                self.fault, self._fault_trace = f"its process could not start: {payload}", Trace(*header["trace"])

    def _take_report(self, job: ChildJob, header: Header, payload: str) -> None:
        match header["about"]:
            case "progress":
                job.progress(header["fraction"], payload or None)
            case "log":
                for line in payload.split("\n"):
                    job.line(line)
            case "ended":
                self._take_end(job, header, payload)

    def _take_starts(self, header: Header) -> None:
        if self.config.weight is not Weight.IO or not self._idle_size:
            self._idle_size = header["size"]
        for number in header["jobs"]:
            if job := self.jobs.get(number):
                job.begin()

    def _take_end(self, job: ChildJob, header: Header, payload: str) -> None:
        if self.config.weight is not Weight.IO:  # where many run at a time, their output comes by the socket
            self._read_rest_of_output()
        del self.jobs[header["job"]]
        if header["spent"]:
            self.kill()
        ending = Ending(header["kind"], payload, header["retryable"], Trace(*header.get("trace", ())))
        if ending.kind == "handed_back":
            job.verdict = job.verdict or ending
        job.finish(replace(job.verdict, trace=ending.trace) if job.verdict and ending.kind == "cancelled" else ending)

    def _await_end(self) -> None:
        """Wait until the process has ended, for whatever reason; then end its jobs and remove its folder."""
        hub_io.wait_for_end(self._process)
        self.usable = False
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # processes that it started and left behind
        status = self._process.wait()
        for loop in self._loops:
            loop.kill()
        try:
            for data in hub_io.available(self._channel):  # its last reports
                self._take(data)
            self._read_rest_of_output()
        finally:
            self._own_lines.close()
            self.ended.send(status)
            hub_io.close(self._channel)
            hub_io.close(self._output)
            trace = self._fault_trace if self.fault else self._dump.trace()
            self._dump.close()
            self._on_end(self)
            if not self.ready.ready():
                self.ready.send(None)
            while self.jobs:
                job = self.jobs.popitem()[1]
                job.finish(replace(job.verdict or self._ending(status), trace=trace))
            hub_io.remove_folder(self._folder)

    def _ending(self, status: int) -> Ending:
        """Return how a job ended that the process left unfinished."""
        if self._killed:
            return _handed_back("its process was ended because of another job")
        if STOP.asked and status in STOP_SIGNALS:  # a service manager signals all processes of a service
            return _handed_back("its process was stopped together with its worker")
        return failed(ChildDied(self.fault or reason(status)))


def _handed_back(message: str) -> Ending:
    return Ending("handed_back", JobError("HandedBack", message).written())


def reason(status: int) -> str:
    """Say how a process ended, by its status as `subprocess` gives it."""
    if status >= 0:
        return f"its process exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        return f"its process ended by signal {-status}"
    hint = ", as when the machine runs out of memory" if name == "SIGKILL" else ""
    return f"its process ended by signal {-status} ({name}){hint}"
