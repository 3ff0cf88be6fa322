"""Ties a process to its parent, so that nothing is left behind when the parent is killed outright.

Stands under whoever starts processes: the servers of `make run`, and the workers' children.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from functools import partial

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# loaded here, not in the child: between fork and exec as little as possible should happen
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def signal_on_parent_death(on_death: signal.Signals) -> Callable[[], None]:
    """Give a `preexec_fn` for a child: it will get `on_death` when the thread that started it ends.

    Linux only; elsewhere it does nothing, and a parent that is killed with SIGKILL leaves its children.
    """
    return partial(die_with_parent, os.getpid(), on_death)


def die_with_parent(parent: int, on_death: signal.Signals) -> None:
    """Have the calling process get `on_death` when `parent`, its parent, ends."""
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(on_death), 0, 0, 0)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(1)


def adopt_orphans() -> None:
    """Have processes below the calling one become its children when their own parents end, so that it can end them."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
