"""`python -m workers.compute.child ORDERS`: a child process that runs operations; only workers start it.

It is a clean interpreter: neither nameko nor eventlet is loaded, nothing is patched. CPU-bound operations go on in
`one_at_a_time.py`, I/O-bound ones in `many_at_once.py`. Next: `one_at_a_time.py`.
"""

import ctypes
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
from errand.process import garbage_collection
from errand.process.parent_death import adopt_orphans, die_with_parent
from schemas.operations import Weight
from workers.compute.child.many_at_once import ConcurrentRunner
from workers.compute.child.one_at_a_time import SerialRunner
from workers.compute.child.worker_channel import WorkerChannel
from workers.compute.children.stack_dump import enable_dumps
from workers.compute.trace import trace_of
from workers.operations.loader import load

_LINE_BUFFERED = 1  # C's _IOLBF


class ChildOrders(TypedDict):
    """What the worker passes to a child on its command line, as JSON."""

    weight: Weight
    channel: int
    """Descriptor of the socket to the worker."""
    dump: int
    """Descriptor of the file for stack dumps."""
    worker: int
    """Process id of the worker."""
    folder: str
    """Working folder of this child alone."""
    modules: Sequence[str]
    """Dotted names of the modules and packages with operations."""
    max_result_bytes: int
    slots: int
    """How many jobs to run at a time, in a child that runs many."""


def main(orders: ChildOrders) -> None:
    """Run jobs until the worker ends this process, or the worker itself ends."""
    die_with_parent(orders["worker"], signal.SIGKILL)
    adopt_orphans()
    enable_dumps(orders["dump"])
    _die_first()
    _set_up_output()
    channel = WorkerChannel(orders["channel"])
    try:
        operations = load(orders["modules"])
    except SettingsRefused as refusal:
        channel.send(({"about": "broken", "trace": trace_of(refusal.__cause__ or refusal)}, refusal.detail))
        raise SystemExit(1) from None
    os.chdir(orders["folder"])
    given = channel, operations, orders["max_result_bytes"]
    many = orders["weight"] == Weight.IO
    runner = ConcurrentRunner(*given, orders["slots"]) if many else SerialRunner(*given, orders["dump"])
    garbage_collection.freeze()
    channel.listen(runner.handle)
    channel.send(({"about": "ready"}, ""))
    runner.serve()


def _die_first() -> None:
    """When memory runs out, let the system kill this process rather than a worker; and write no core dump."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _set_up_output() -> None:
    """Write prints and logs line by line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    libc = ctypes.CDLL(None)
    with suppress(ValueError):  # only Linux has this name
        # so that what C code prints appears in its place
        libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _LINE_BUFFERED, 0)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", handlers=[_ToCurrentOutput()])


class _ToCurrentOutput(logging.StreamHandler[io.TextIOBase]):
    """Writes to the current `sys.stderr`: where many jobs run at a time, it goes to the job's own log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record to the current standard error."""
        self.stream = sys.stderr  # type: ignore[assignment]  # RoutedStream is close enough
        super().emit(record)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
