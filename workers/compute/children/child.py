"""`python -m workers.compute.children.child ORDERS`: a child process that runs operations. Workers start it, nobody
else.

Stands at step 4 of a job's life. It is a clean interpreter: neither nameko nor eventlet is loaded, nothing is
patched. Next: `one_at_a_time.py`, and `many_at_once.py` for what waits more than it computes.
"""

import ctypes
import faulthandler
import io
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from errand.errors import SettingsRefused
from errand.process import heap
from errand.process.lifeline import adopt_orphans, tie_to
from schemas.operations import Weight
from workers.compute.children.many_at_once import ConcurrentRunner
from workers.compute.children.one_at_a_time import SerialRunner
from workers.compute.children.worker_channel import WorkerChannel
from workers.operations.loader import load

_LINE_BUFFERED = 1  # C's _IOLBF


class ChildOrders(TypedDict):
    """What a child is told on its command line, as JSON."""

    weight: Weight
    channel: int
    """Descriptor of the socket to the worker."""
    worker: int
    """Process id of the worker."""
    folder: str
    """Folder to work in, for this child alone."""
    modules: Sequence[str]
    """Dotted names of the modules and packages with operations."""
    max_result_bytes: int
    slots: int
    """How many jobs to run at a time, where many are."""


def main(orders: ChildOrders) -> None:
    """Do what the orders say until the worker ends this process, or ends itself."""
    tie_to(orders["worker"], signal.SIGKILL)
    adopt_orphans()
    _be_expendable()
    _speak_plainly()
    wire = WorkerChannel(orders["channel"])
    try:
        operations = load(orders["modules"])
    except SettingsRefused as refusal:
        wire.send(({"about": "broken"}, refusal.detail))
        raise SystemExit(1) from None
    os.chdir(orders["folder"])
    given = wire, operations, orders["max_result_bytes"]
    server = ConcurrentRunner(*given, orders["slots"]) if orders["weight"] == Weight.IO else SerialRunner(*given)
    heap.settle()
    wire.listen(server.handle)
    wire.send(({"about": "ready"}, ""))
    server.serve()


def _be_expendable() -> None:
    """Where memory runs out, the system is to end this process rather than a worker; and no corpse is kept of it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _speak_plainly() -> None:
    """Send what is printed and logged line by line, and the place of a crash too."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    libc = ctypes.CDLL(None)
    with suppress(ValueError):  # elsewhere than on Linux it has another name
        libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _LINE_BUFFERED, 0)  # what C prints, in its place
    faulthandler.enable(all_threads=False)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", handlers=[_ToCurrentOutput()])


class _ToCurrentOutput(logging.StreamHandler[io.TextIOBase]):
    """Writes to what is standard error at that moment: the job's, where many run at a time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stderr  # type: ignore[assignment]  # it has all that is needed
        super().emit(record)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
