"""Stack dumps of a child that is stuck or has crashed: where its threads were, written without the help of its code.

faulthandler writes them in C, even while Python code never returns, into a file without a name that only the worker
reads: the job's log is for clients. `child_process.py` asks for one before it kills a child whose job took too long.
"""

import faulthandler
import os
import re
import signal
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import Final

from workers.compute.trace import CodePlace, Trace, bounded, place_of

SIGNAL: Final = getattr(signal, "SIGRTMAX", signal.SIGUSR2)
"""Asks a child for a dump; operations may use the signals that have a common meaning."""
MOST_BYTES: Final = 1_048_576
"""Maximum bytes read of a dump."""

_THREAD: Final = re.compile(r"(Current thread|Thread) .*:")
_FRAME: Final = re.compile(r'  File "(.*)", line (\d+|\?\?\?) in (.*)')


def enable_dumps(descriptor: int) -> None:
    """Have this process, a child, write dumps to this descriptor: when it crashes, and when it gets SIGNAL."""
    os.set_inheritable(descriptor, False)  # noqa: FBT003 -- os's own signature
    faulthandler.enable(descriptor, all_threads=False)
    faulthandler.register(SIGNAL, descriptor)


def forget_dumps(descriptor: int) -> None:
    """Empty the file: what a process that a job forked has written says nothing about the next job."""
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)


class DumpFile:
    """The worker's side: the file of one child."""

    def __init__(self) -> None:
        """Make the file; raise OSError."""
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115 -- open as long as the child lives
        self._seen = 0

    @property
    def descriptor(self) -> int:
        """Its descriptor, for the child to inherit."""
        return self._file.fileno()

    def is_complete(self) -> bool:
        """Return whether there is a dump of the main thread, which gets the signal, that hasn't grown since."""
        dump = os.pread(self.descriptor, MOST_BYTES, 0)
        before, self._seen = self._seen, len(dump)
        return self._seen == before and b"Current thread" in dump

    def trace(self) -> Trace:
        """Return what was dumped; an empty trace if nothing was."""
        return trace_of_dump(os.pread(self.descriptor, MOST_BYTES, 0).decode("utf-8", "replace"))

    def close(self) -> None:
        """Close the file, and so remove it."""
        self._file.close()


def trace_of_dump(text: str) -> Trace:
    """Return a dump without the frames that led to the operation and without threads that only wait for work."""
    kept: list[str] = []
    places: list[str] = []
    for section in text.strip("\n").split("\n\n"):
        lines = _without_lead(section.split("\n"))
        frames = [frame for line in reversed(lines) if (frame := _frame_of(line))]
        idle = all(frame.is_library or frame.runs_operations for frame in frames)
        if idle and (section.startswith("Thread ") or _THREAD.fullmatch("\n".join(lines))):
            continue
        kept.append("\n".join(lines))
        places += [place_of(frames)] if frames and not idle else []
    return Trace(bounded("\n\n".join(kept)), places[0] if places else "")


def _without_lead(lines: Sequence[str]) -> list[str]:
    """Leave out the outermost frames, which stand last, up to the operation's first."""
    kept = list(lines)
    while (frame := _frame_of(kept[-1])) and (frame.runs_operations or frame.file.startswith("<frozen ")):
        kept.pop()
    return kept


def _frame_of(line: str) -> CodePlace | None:
    found = _FRAME.fullmatch(line)
    return CodePlace(found[1], int(found[2]) if found[2].isdigit() else 0, found[3]) if found else None
