"""The child's end of the channel to its worker.

Progress and log lines are gathered and sent ten times a second, so that an operation that reports in every turn of a
loop slows down neither itself nor the worker. Next: `workers/compute/children/frames.py`.
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
"""Seconds between two transmissions of progress and log lines."""


class WorkerChannel:
    """Sends and receives frames. Every method may be called from any thread."""

    def __init__(self, descriptor: int) -> None:
        """Use the socket with this descriptor."""
        os.set_inheritable(descriptor, False)  # noqa: FBT003 -- os's own signature
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)  # noqa: FBT003 -- socket's own signature
        self._sending, self._flushing, self._gathering = threading.Lock(), threading.Lock(), threading.Lock()
        self._progress: dict[int, tuple[float, str | None]] = {}
        self._lines: dict[int, list[str]] = {}
        self._pending = threading.Event()

    def listen(self, handle: Callable[[list[Frame]], None]) -> None:
        """Start the threads: one passes received frames to `handle`, one sends progress and log lines."""
        threading.Thread(target=self._receive, args=[handle], name="channel", daemon=True).start()
        threading.Thread(target=self._report, name="reports", daemon=True).start()

    def send(self, *frames: Frame) -> None:
        """Send frames."""
        packed = b"".join(pack(*frame) for frame in frames)
        with self._sending:
            self._socket.sendall(packed)

    def progress(self, job: int, fraction: float, message: str | None) -> None:
        """Report the progress of a job; of several reports in a short time only the last is sent."""
        text = None if message is None else str(message)[:200]
        with self._gathering:
            self._progress[job] = (fraction, text)
        self._pending.set()

    def line(self, job: int, line: str) -> None:
        """Report a line of a job's log."""
        with self._gathering:
            self._lines.setdefault(job, []).append(line)
        self._pending.set()

    def ended(self, endings: Sequence[tuple[int, Ending]], *more: Frame, spent: bool = False) -> None:
        """Send progress and lines, then how jobs ended, then `more`; `spent`: this process takes no more jobs."""
        self._flush()
        ended: list[Frame] = []
        for job, e in endings:
            header = {"about": "ended", "job": job, "kind": e.kind, "retryable": e.retryable, "spent": spent}
            ended.append((header | {"trace": e.trace} if e.trace.text else header, e.payload))
        self.send(*ended, *more)

    def _report(self) -> None:
        while self._pending.wait():
            self._pending.clear()
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
        frames = FrameReader()
        try:
            while data := self._socket.recv(1 << 18):
                handle(frames.feed(data))
        except Exception:
            log.exception("The channel to the worker broke")
        finally:
            # the worker has gone, or an operation closed the socket: nothing reaches the worker any more
            os.killpg(0, signal.SIGKILL)
