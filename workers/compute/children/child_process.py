"""One child process as its worker sees it: started, spoken to, listened to, ended with all that came from it.

Stands at step 4 of a job's life, inside the worker: everything here waits on the hub and never blocks it. What the
child prints arrives through a pipe, what it says through a socket. Next: `child.py`, the same on the other side.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import eventlet
from eventlet.event import Event

from schemas.operations import Weight
from workers.compute.attempt import ChildDied, Ending, error_text, failed
from workers.compute.children import hub_io
from workers.compute.children.child_job import ChildJob
from workers.compute.children.frames import FrameReader, Header, pack
from workers.compute.children.output_lines import OutputLines
from workers.compute.children.process_tree import memory_of, tree_of

log = logging.getLogger(__name__)

SECRETS = ("AMQP_URI", "REDIS_URL", "SMTP_URL", "WEBHOOK_SECRET")
"""What a worker is told and an operation has no business with."""


@dataclass(frozen=True, slots=True)
class ChildConfig:
    """What all children of a pool have in common."""

    weight: Weight
    modules: tuple[str, ...]
    max_result_bytes: int
    slots: int
    """How many jobs run at a time, in a child that runs many."""


class ChildProcess:
    """One child process. `on_end` is called when it has ended, before its jobs learn of it."""

    def __init__(self, plan: ChildConfig, folder: Path, on_end: Callable[["ChildProcess"], None]) -> None:
        """Start the process in `folder`, which is removed with it; raise OSError."""
        self.plan, self._folder, self._on_end = plan, folder, on_end
        self.jobs: dict[int, ChildJob] = {}
        self.usable, self.ready, self.ended = True, Event(), Event()
        self.fault = ""
        """What kept it from starting."""
        self._size, self._number, self._killed = 0, 0, False
        self._unsaid: list[bytes] = []
        self._unpacker = FrameReader()
        self._own_lines = OutputLines(lambda line: log.info("%s", line, extra={"action": "child_output"}))
        self._process, self._channel, self._output = _start(plan, self._folder)
        self.pid = self._process.pid
        self._loops = [eventlet.spawn(self._hear), eventlet.spawn(self._read)]
        eventlet.spawn_n(self._await_end)

    def run(self, job: ChildJob, memory: int) -> None:
        """Give the child a job, which tells of it. Waits until the child is ready."""
        self._number += 1
        number = self._number
        header = {"about": "run", "job": number, "operation": job.request.operation, "memory": memory}
        frame = pack(header, job.request.arguments)
        self.jobs[number] = job
        if not self.ready.ready():
            self.ready.wait()
        if job.verdict and self.jobs.pop(number, None):
            job.finish(job.verdict)
        else:
            self._say(frame)

    def cancel(self, job: ChildJob) -> None:
        """Ask the child to cancel a job; only one that runs many at a time hears it."""
        for number in [number for number, each in self.jobs.items() if each is job]:
            self._say(pack({"about": "cancel", "job": number}))

    def kill(self) -> None:
        """End the child at once, with every process that came from it; its jobs end when it has."""
        if self._killed or self.ended.ready():
            return
        self._killed, self.usable = True, False
        family = tree_of(self.pid)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in family[1:]:  # those that left the group
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def memory(self) -> int:
        """Give the bytes that its jobs have added to it."""
        return memory_of(tree_of(self.pid)) - self._size

    def _say(self, frame: bytes) -> None:
        """Say it in the next turn of the hub, together with all that is to be said until then."""
        self._unsaid.append(frame)
        if len(self._unsaid) == 1:
            eventlet.spawn_n(self._speak)

    def _speak(self) -> None:
        try:
            while self._unsaid and not self.ended.ready():
                said = len(self._unsaid)
                hub_io.write(self._channel, b"".join(self._unsaid))
                del self._unsaid[:said]
        except OSError:  # it has ended, and `_await_end` tells
            return
        except Exception:
            log.exception("A child can't be told anything any more", extra={"action": "child_fault"})
            self.kill()

    def _hear(self) -> None:
        """Take what the child says."""
        try:
            while data := hub_io.read(self._channel):
                self._take(data)
        except Exception:
            log.exception("A child said what nobody understands", extra={"action": "child_fault"})
            self.kill()

    def _read(self) -> None:
        """Take what the child prints. One that prints without end is held up by its pipe, not we by it."""
        while data := hub_io.read(self._output):
            self._printed().feed(data)
            eventlet.sleep(hub_io.BREATH if len(data) >= hub_io.MUCH else 0)

    def _read_rest(self) -> None:
        """Take what the child has printed until now."""
        for data in hub_io.at_hand(self._output):
            self._printed().feed(data)

    def _printed(self) -> OutputLines:
        """Give the lines of the job that runs, where only one can, or else the worker's own."""
        if self.plan.weight is Weight.IO or not self.ready.ready():
            return self._own_lines
        return next((job.lines for job in self.jobs.values()), self._own_lines)

    def _take(self, data: bytes) -> None:
        for header, payload in self._unpacker.feed(data):
            if job := self.jobs.get(header.get("job", 0)):
                self._take_news(job, header, payload)
            elif header["about"] == "started":
                self._take_starts(header)
            elif header["about"] == "ready":
                self._read_rest()  # from here on, what it prints is a job's
                self.ready.send(self.pid)
            elif header["about"] == "broken":
                self.fault = f"its process could not start: {payload}"

    def _take_news(self, job: ChildJob, header: Header, payload: str) -> None:
        match header["about"]:
            case "progress":
                job.progress(header["fraction"], payload or None)
            case "log":
                for line in payload.split("\n"):
                    job.line(line)
            case "ended":
                self._take_end(job, header, payload)

    def _take_starts(self, header: Header) -> None:
        if self.plan.weight is not Weight.IO or not self._size:
            self._size = header["size"]
        for number in header["jobs"]:
            if job := self.jobs.get(number):
                job.begin()

    def _take_end(self, job: ChildJob, header: Header, payload: str) -> None:
        if self.plan.weight is not Weight.IO:  # what many print at a time comes by the socket
            self._read_rest()
        del self.jobs[header["job"]]
        if header["spent"]:
            self.kill()
        ending = Ending(header["kind"], payload, header["retryable"])
        if ending.kind == "handed_back":
            job.verdict = job.verdict or ending
        job.finish(job.verdict if job.verdict and ending.kind == "cancelled" else ending)

    def _await_end(self) -> None:
        """Wait until the process has ended, for whatever reason, and finish what it left undone."""
        hub_io.wait_for_end(self._process)
        self.usable = False
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # what it started and left behind
        status = self._process.wait()
        for loop in self._loops:
            loop.kill()
        try:
            for data in hub_io.at_hand(self._channel):  # what it said before it ended
                self._take(data)
            self._read_rest()
        finally:
            self._own_lines.close()
            self.ended.send(status)
            hub_io.close(self._channel)
            hub_io.close(self._output)
            self._on_end(self)
            if not self.ready.ready():
                self.ready.send(None)
            while self.jobs:
                job = self.jobs.popitem()[1]
                job.finish(job.verdict or self._ending(status))
            hub_io.remove(self._folder)

    def _ending(self, status: int) -> Ending:
        if self._killed:
            return Ending("handed_back", error_text("HandedBack", "its process was ended because of another job"))
        return failed(ChildDied(self.fault or reason(status)))


def _start(plan: ChildConfig, folder: Path) -> tuple["subprocess.Popen[bytes]", int, int]:
    """Start a child; give the process and the descriptors of its channel and its output, both non-blocking."""
    ours, theirs = socket.socketpair()
    output, its_output = hub_io.pipe()
    orders = {**asdict(plan), "channel": theirs.fileno(), "worker": os.getpid(), "folder": str(folder)}
    # TMPDIR: what a killed operation leaves behind goes with the folder. MALLOC_ARENA_MAX: each further arena takes
    # 64 MB of address space, which the limit on it would count.
    own = {"TMPDIR": str(folder), "MALLOC_ARENA_MAX": "1"}
    try:
        process = subprocess.Popen(  # noqa: S603 -- this interpreter and a module of ours
            [sys.executable, "-X", "utf8", "-m", "workers.compute.children.child", json.dumps(orders)],
            env={name: value for name, value in os.environ.items() if name not in SECRETS} | own,
            stdin=subprocess.DEVNULL,
            stdout=its_output,
            stderr=its_output,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        os.close(output)
        folder.rmdir()
        raise
    finally:
        theirs.close()
        os.close(its_output)
    channel = ours.detach()
    os.set_blocking(channel, False)
    return process, channel, output


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
