"""Prints for `make run`, and goes on without printing once nobody reads: the terminal was closed, or a pipe ended."""

import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_closed = threading.Event()


def say(text: str) -> None:
    """Print a line that does not come from one of the processes."""
    with may_be_closed():
        print(f"errand: {text}", flush=True)


def is_closed() -> bool:
    """Return whether stdout was a terminal that is closed by now, or a pipe that nobody reads any more.

    SIGHUP doesn't always say so: it may reach the leader of the session only, such as `make`, which waits for us.
    """
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return _closed.is_set() or any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))


@contextmanager
def may_be_closed() -> Iterator[None]:
    """Print into the void from now on if stdout fails; the processes still have to stop in order."""
    try:
        yield
    except OSError:
        _closed.set()
        void = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(void, stream.fileno())
        os.close(void)
