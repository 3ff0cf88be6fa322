"""Finds the descendants of a process and the memory they use, in /proc, so on Linux only.

`child_process.py` ends a child with all of them, `workers/compute/child/one_at_a_time.py` cleans up after a job.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


def children_of(pid: int) -> list[int]:
    """List the children of a process, including those of its threads, and zombies."""
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(_PROC / str(pid) / "task"):  # noqa: PTH208 -- twice as fast, and done after each job
            with suppress(ProcessLookupError):
                found += map(int, (_PROC / str(pid) / "task" / thread / "children").read_text().split())
    return found


def tree_of(pid: int) -> list[int]:
    """List a process and its descendants, parents first."""
    tree = [pid]
    for each in tree:
        tree += children_of(each)
    return tree


def memory_of(processes: Iterable[int]) -> int:
    """Return the bytes of memory that processes use together; shared pages count once."""
    pids = list(processes)
    if len(pids) == 1:
        return resident(pids[0])
    return sum(map(_proportional, pids))


def resident(pid: int | None = None) -> int:
    """Return the bytes of memory that one process uses (default: this one); 0 if it has ended."""
    return _pages(pid, 1)


def address_space(pid: int | None = None) -> int:
    """Return the bytes of address space of one process (default: this one); 0 if unknown."""
    return _pages(pid, 0)


def _pages(pid: int | None, field: int) -> int:
    with suppress(OSError, IndexError):
        return int((_PROC / str(pid or "self") / "statm").read_text().split()[field]) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    """Return the bytes a process uses, where a page that n processes share counts as 1/n for each."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
