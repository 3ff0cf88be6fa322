"""WakeDispatcher one who waits, at the earliest of many times.

Stands at step 4 of a job's life, under `pool.py`: a timer for each job would cost more than a small job does.
"""

from math import inf
from time import monotonic

from eventlet.event import Event

LEAST_SECONDS = 0.01
"""Between two wakings: times that come close together are one."""


class EarliestTimer:
    """One greenthread waits, any may set a time."""

    def __init__(self) -> None:
        """Begin with no time set."""
        self._at = inf
        self._earlier: Event | None = None

    def set(self, at: float) -> None:
        """Have it ring at this time (monotonic, s), unless it will ring before."""
        if at < self._at:
            self._at = at
            if self._earlier is not None:
                self._earlier.send()
                self._earlier = None

    def wait(self, until: float) -> None:
        """Wait for the earliest time that was set, or is set meanwhile, `until` at most; then none is set."""
        soonest = monotonic() + LEAST_SECONDS
        while (rest := max(min(self._at, until), soonest) - monotonic()) > 0:
            self._earlier = Event()
            self._earlier.wait(rest)
        self._at, self._earlier = inf, None
