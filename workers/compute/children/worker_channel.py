"""The child's end of the channel to its worker.

Stands at step 4 of a job's life, inside a child process. Progress and log lines are gathered and sent ten times a
second, so that an operation that reports in every turn of a loop keeps neither itself nor the worker busy. Next:
`frames.py`.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence

from workers.compute.attempt import Ending
from workers.compute.children.frames import Frame, FrameReader, pack

log = logging.getLogger(__name__)

PAUSE = 0.1
"""Seconds between two reports."""


class WorkerChannel:
    """Sends and receives frames. Every method may be called from any thread."""

    def __init__(self, descriptor: int) -> None:
        """Use the socket with this descriptor."""
        os.set_inheritable(descriptor, False)  # noqa: FBT003 -- the system call's own shape
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)  # noqa: FBT003 -- the call's own shape; the worker's hub had it otherwise
        self._sending, self._flushing, self._gathering = threading.Lock(), threading.Lock(), threading.Lock()
        self._progress: dict[int, tuple[float, str | None]] = {}
        self._lines: dict[int, list[str]] = {}
        self._news = threading.Event()

    def listen(self, handle: Callable[[list[Frame]], None]) -> None:
        """Give the frames that come to `handle`, and send reports, in threads of their own."""
        threading.Thread(target=self._receive, args=[handle], name="wire", daemon=True).start()
        threading.Thread(target=self._report, name="reports", daemon=True).start()

    def send(self, *frames: Frame) -> None:
        """Send frames."""
        packed = b"".join(pack(*frame) for frame in frames)
        with self._sending:
            self._socket.sendall(packed)

    def progress(self, job: int, fraction: float, message: str | None) -> None:
        """Report how far a job has come; of several reports in short time the last one counts."""
        words = None if message is None else str(message)[:200]
        with self._gathering:
            self._progress[job] = (fraction, words)
        self._news.set()

    def line(self, job: int, line: str) -> None:
        """Report a line of a job's log."""
        with self._gathering:
            self._lines.setdefault(job, []).append(line)
        self._news.set()

    def ended(self, endings: Sequence[tuple[int, Ending]], *more: Frame, spent: bool = False) -> None:
        """Tell how jobs ended, after all that was to be reported, and `more`. `spent`: this process takes no other."""
        self._flush()
        told = [
            ({"about": "ended", "job": job, "kind": e.kind, "retryable": e.retryable, "spent": spent}, e.payload)
            for job, e in endings
        ]
        self.send(*told, *more)

    def _report(self) -> None:
        while self._news.wait():
            self._news.clear()
            self._flush()
            time.sleep(PAUSE)

    def _flush(self) -> None:
        with self._flushing:
            with self._gathering:
                progress, self._progress = self._progress, {}
                lines, self._lines = self._lines, {}
            frames = [({"about": "log", "job": job}, "\n".join(printed)) for job, printed in lines.items()]
            for job, (fraction, message) in progress.items():
                frames.append(({"about": "progress", "job": job, "fraction": fraction}, message or ""))
            if frames:
                self.send(*frames)

    def _receive(self, handle: Callable[[list[Frame]], None]) -> None:
        unpacker = FrameReader()
        try:
            while data := self._socket.recv(1 << 18):
                handle(unpacker.feed(data))
        except Exception:
            log.exception("The channel to the worker broke")
        finally:
            # the worker has gone, or an operation closed what it did not open: nobody hears this process any more
            os.killpg(0, signal.SIGKILL)
