"""Samples processes from outside: memory, threads, open files, and how busy the machine is. Linux only (/proc)."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from chaos.targets import ChaosTarget
from tests.support.processes import command_of

Figures = dict[str, float]
MB = 1024.0
"""KB in a MB."""
_WEIGHT = re.compile(r'"weight": "(\w+)"')


def look(targets: Iterable[ChaosTarget]) -> Figures:
    """Return memory (MB), threads, files, sockets and count of each process, and of each kind of child processes.

    Memory is the anonymous memory of a process, swapped or not: without page cache, and independent of other processes.
    For child processes of one kind, which come and go, memory is that of the largest, and everything else the sum.
    Zombies are counted for all processes together.
    """
    found: defaultdict[str, float] = defaultdict(float)
    children = _children()
    for target in targets:
        for name, pid in _family(target, children):
            with suppress(OSError, KeyError):  # the process has ended, or is a zombie, which has no memory
                _add(found, name, Path(f"/proc/{pid}"))
    return {"zombies": 0.0, **found}


def _family(target: ChaosTarget, children: Mapping[int, list[int]]) -> Iterator[tuple[str, int]]:
    """Name the processes of a target: itself, and its descendants by their purpose."""
    if (pid := target.pid) is None:
        return
    yield target.name, pid
    below = list(children.get(pid, ()))
    for child in below:
        weight = _WEIGHT.search(command_of(child))
        yield f"{target.name} {weight[1] + ' children' if weight else 'children'}", child
        below += children.get(child, ())


def _children() -> dict[int, list[int]]:
    """List the processes of the machine by their parents, including zombies."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text("utf-8", "replace").rpartition(") ")[2].split()[1]
            found[int(parent)].append(int(folder.name))
    return found


def busy() -> tuple[float, float]:
    """Return the CPU time of the machine that was used so far, and the total (s)."""
    ticks = [int(each) for each in Path("/proc/stat").read_text("utf-8").splitlines()[0].split()[1:9]]
    second = os.sysconf("SC_CLK_TCK")
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / second, sum(ticks) / second


def _add(found: defaultdict[str, float], name: str, folder: Path) -> None:
    status = dict(line.split(":", 1) for line in (folder / "status").read_text("utf-8").splitlines())
    if status["State"].strip().startswith("Z"):
        found["zombies"] += 1
        return
    links = list(_links(folder / "fd"))
    memory = sum(int(status[field].split()[0]) for field in ("RssAnon", "VmSwap")) / MB
    found[f"{name}: memory, MB"] = max(found[f"{name}: memory, MB"], memory)
    found[f"{name}: threads"] += int(status["Threads"])
    found[f"{name}: sockets"] += sum(link.startswith("socket:") for link in links)
    found[f"{name}: other files"] += sum(not link.startswith("socket:") for link in links)
    found[f"{name}: processes"] += 1


def _links(folder: Path) -> Iterator[str]:
    for link in folder.iterdir():
        with suppress(OSError):  # closed in the meantime
            yield str(link.readlink())
