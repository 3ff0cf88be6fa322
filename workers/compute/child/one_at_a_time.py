"""Runs operations in a child process one at a time, with a memory limit, and cleans up after each: the weight `cpu`.

Next: `workers/compute/attempt.py`.
"""

import ctypes
import os
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue

from workers.compute.attempt import Ending, MemoryExceeded, checked, failed, find, megabytes, succeeded
from workers.compute.child.worker_channel import WorkerChannel
from workers.compute.children.frames import Frame, Header
from workers.compute.children.process_tree import address_space, children_of, resident
from workers.compute.children.stack_dump import forget_dumps
from workers.operations.registry import RegisteredOperation, set_progress_reporter

MOST_JOBS = 500
"""Jobs after which a child is replaced, so that a leak in it comes to an end."""
MOST_GROWTH = 128 * 2**20
"""Bytes that jobs may leave behind in a child before it is replaced."""

_LIBC = ctypes.CDLL(None)


class SerialRunner:
    """The main thread of a child that runs one job at a time."""

    def __init__(
        self, channel: WorkerChannel, operations: Mapping[str, RegisteredOperation], max_result_bytes: int, dump: int
    ) -> None:
        """Report on `channel`; `dump` is the descriptor of the file for stack dumps."""
        self._dump = dump
        self._channel, self._operations, self._max_result_bytes = channel, operations, max_result_bytes
        self._frames: SimpleQueue[Frame] = SimpleQueue()
        self._streams = sys.stdout, sys.stderr
        self._pid, self._folder = os.getpid(), Path.cwd()
        self._job, self._jobs, self._size = 0, 0, resident()

    def handle(self, frames: list[Frame]) -> None:
        """Take frames of the worker; called by the channel's thread.

        All of them are jobs: to cancel one, the worker kills this process.
        """
        for frame in frames:
            self._frames.put(frame)

    def serve(self) -> None:
        """Run jobs until this process is ended."""
        set_progress_reporter(lambda fraction, message: self._channel.progress(self._job, fraction, message))
        # a process that an operation forks must not report to the worker
        os.register_at_fork(after_in_child=lambda: set_progress_reporter(lambda _fraction, _message: None))
        os.nice(5)  # the worker's heartbeat, the store and the API come first
        while True:
            self._serve_one(*self._frames.get())

    def _serve_one(self, header: Header, arguments: str) -> None:
        self._job, self._jobs = header["job"], self._jobs + 1
        self._channel.send(({"about": "started", "jobs": [self._job], "size": resident()}, ""))
        ending, exhausted = self._run(header["operation"], arguments, header["memory"])
        if os.getpid() != self._pid:  # the operation forked, and the copy has returned here
            os._exit(0)
        clean = self._clean_up()
        spent = exhausted or not clean or self._jobs >= MOST_JOBS or resident() > self._size + MOST_GROWTH
        self._channel.ended([(self._job, ending)], spent=spent)

    def _run(self, name: str, arguments: str, memory: int) -> tuple[Ending, bool]:
        """Run the operation; return how it ended, and whether it ran out of memory."""
        retry_on: tuple[type[BaseException], ...] = ()
        try:
            operation = find(self._operations, name)
            retry_on = operation.retry_on
            values = checked(operation, arguments)
            with limited(memory):
                return succeeded(operation.function(**values), self._max_result_bytes), False
        except MemoryError as error:
            fault = MemoryExceeded(f"used more than its memory limit of {megabytes(memory)}")
            return failed(fault, retry_on, raised=error), True
        except BaseException as error:  # noqa: BLE001 -- whatever an operation raises is data
            return failed(error, retry_on), False

    def _clean_up(self) -> bool:
        """End and remove what the operation left behind; return whether that succeeded."""
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
            end_descendants()
            sys.stdout, sys.stderr = self._streams
            sys.stdout.flush()
            sys.stderr.flush()
            _LIBC.fflush(None)
            forget_dumps(self._dump)
            os.chdir(self._folder)
            for entry in list(os.scandir(self._folder)):
                shutil.rmtree(entry) if entry.is_dir(follow_symlinks=False) else Path(entry).unlink()
        except BaseException:  # noqa: BLE001 -- such as a closed stream; a new child is clean
            return False
        return all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate())


@contextmanager
def limited(memory: int) -> Iterator[None]:
    """Let this process grow by at most `memory` bytes of address space; more raises MemoryError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(ValueError, OSError):  # not every system can; the worker watches the memory as well
        if size := address_space():
            most = size + memory
            resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):  # as above
            resource.setrlimit(resource.RLIMIT_AS, (soft, resource.getrlimit(resource.RLIMIT_AS)[1]))


def end_descendants() -> None:
    """End every descendant of this process; orphans among them have become its children."""
    while leftovers := children_of(os.getpid()):
        for pid in leftovers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
