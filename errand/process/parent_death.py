"""Ends a process when its parent dies, so that a killed parent leaves no processes behind. Linux only."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from functools import partial

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# loaded here, because a child should do as little as possible between fork and exec
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def signal_on_parent_death(on_death: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn` for a child: the child gets `on_death` when the thread that started it ends.

    Outside Linux it does nothing, and the children of a parent killed with SIGKILL live on.
    """
    return partial(die_with_parent, os.getpid(), on_death)


def die_with_parent(parent: int, on_death: signal.Signals) -> None:
    """Send the calling process `on_death` when `parent`, its parent, ends."""
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(on_death), 0, 0, 0)
    if os.getppid() != parent:  # the parent ended before the line above
        os._exit(1)


def adopt_orphans() -> None:
    """Make descendants whose parents end children of the calling process, so that it can end them."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
