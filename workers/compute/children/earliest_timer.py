"""One timer for many times: whoever waits is woken at the earliest of them.

`limit_watch.py` uses it for the timeouts of jobs: a timer for each job would cost more than a small job does.
"""

from math import inf
from time import monotonic

from eventlet.event import Event

LEAST_SECONDS = 0.01
"""Minimum between two wake-ups, so that times close together cost one."""


class EarliestTimer:
    """One greenthread waits; any greenthread may set a time."""

    def __init__(self) -> None:
        """Begin with no time set."""
        self._at = inf
        self._earlier: Event | None = None

    def set(self, at: float) -> None:
        """Wake the waiter at this time (monotonic, s), unless an earlier time is set."""
        if at < self._at:
            self._at = at
            if self._earlier is not None:
                self._earlier.send()
                self._earlier = None

    def wait(self, until: float) -> None:
        """Wait for the earliest time that is set now or meanwhile, but at most `until`; then clear it."""
        soonest = monotonic() + LEAST_SECONDS
        while (rest := max(min(self._at, until), soonest) - monotonic()) > 0:
            self._earlier = Event()
            self._earlier.wait(rest)
        self._at, self._earlier = inf, None
