"""Where an operation failed, for operators: the traceback of its own frames, and the one line that a log names.

Neither has the values of variables, which may be secret. `attempt.py` takes it of an exception, here in the worker or
in a child; `children/stack_dump.py` of a process that can't raise one any more. It imports only the standard library.
"""

import asyncio
import importlib
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from traceback import FrameSummary, TracebackException
from typing import Final, NamedTuple

MOST_BYTES: Final = 16_384
"""Maximum bytes of a traceback in UTF-8; the middle of a longer one is left out."""

_OPERATIONS: Final = Path(__file__).parents[1] / "operations"
_OURS: Final = (
    str(Path(__file__).parent),
    str(_OPERATIONS / "registry.py"),
    str(_OPERATIONS / "loader.py"),
    importlib.__file__,
    "<frozen importlib",
)
_ROOT: Final = Path(__file__).parents[2]
_LOOPS: Final = (str(Path(asyncio.__file__).parent), "uvloop/")
_LIBRARIES: Final = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class Trace(NamedTuple):
    """A traceback, and the place in it where the operation's own code failed, such as `report.py:12 in total`."""

    text: str = ""
    place: str = ""


NO_TRACE: Final = Trace()


class CodePlace(NamedTuple):
    """A line of code."""

    file: str
    line: int
    function: str

    @property
    def runs_operations(self) -> bool:
        """Return whether it belongs to the code that loads and runs operations: Errand's own or Python's."""
        return self.file.startswith((*_OURS, *_LOOPS))

    @property
    def is_library(self) -> bool:
        """Return whether it belongs to Python or to an installed library."""
        return self.file.startswith((*_LIBRARIES, "<frozen "))

    def __str__(self) -> str:
        """Write it for a log; files of this installation by their path inside it."""
        path = Path(self.file)
        return f"{path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path}:{self.line} in {self.function}"


def trace_of(error: BaseException) -> Trace:
    """Return the trace of an exception, with its causes, groups and notes; an empty one if nothing of it was raised."""
    try:
        written = TracebackException.from_exception(error, compact=True)
        family = list(_family(written))
        for each in family:
            each.stack[:] = _kept(each.stack)
        if not any(each.stack for each in family):
            return NO_TRACE
        return Trace(bounded("".join(written.format())), _place(family))
    except Exception:  # noqa: BLE001 -- its error is the job's ending; a trace that can't be written must not hide it
        return NO_TRACE


def bounded(text: str, most: int = MOST_BYTES) -> str:
    """Return the beginning and the end of a text that has more than `most` bytes, with a note between them."""
    data = text.encode("utf-8", "replace")
    if len(data) <= most:
        return data.decode()
    head, tail = (part.decode("utf-8", "ignore") for part in (data[: most // 2 - 32], data[-(most // 2 - 32) :]))
    return f"{head}\n… {len(data) - most + 64} bytes left out …\n{tail}"


def place_of(frames: Sequence[CodePlace]) -> str:
    """Return the innermost place (the last) that is neither Errand's nor a library's, or else the innermost; or ""."""
    own = [frame for frame in frames if not frame.is_library]
    return str((own or frames)[-1]) if frames else ""


def _family(written: TracebackException) -> Iterator[TracebackException]:
    """Yield an exception, then those that it came from and those in its group."""
    left = [written]
    while left:
        each = left.pop(0)
        yield each
        left += [other for other in (each.__cause__, each.__context__, *(each.exceptions or ())) if other]


def _kept(stack: Sequence[FrameSummary]) -> list[FrameSummary]:
    """Leave out the frames that led to the operation, and asyncio's between its own."""
    kept: list[FrameSummary] = []
    for frame in stack:
        place = CodePlace(frame.filename, frame.lineno or 0, frame.name)
        if not (place.file.startswith(_LOOPS) or (place.runs_operations and not kept)):
            kept.append(frame)
    return kept


def _place(family: Sequence[TracebackException]) -> str:
    stacks = [[CodePlace(frame.filename, frame.lineno or 0, frame.name) for frame in each.stack] for each in family]
    return place_of(next(stack for stack in stacks if stack))
