"""Predicts how many slots come free in the next moment, by how many did recently.

`pool.py` offers those slots ahead of time, so that the next job arrives when its slot is free.
"""

from time import monotonic

WINDOW = 0.1
"""Seconds over which ended jobs are counted."""
AHEAD = 0.08
"""Seconds to look ahead: a claimed job takes some ten milliseconds to reach its child, and several times that when the
worker or the store is busy for a moment."""


class SlotTurnover:
    """Counts jobs that end."""

    def __init__(self) -> None:
        """Begin with no job counted."""
        self._since, self._count, self._before = monotonic(), 0, 0

    def count(self) -> None:
        """Count one more ended job."""
        self._count += 1

    def expected_ends(self) -> int:
        """Return how many jobs will end within AHEAD if they go on ending as recently."""
        passed = monotonic() - self._since
        if passed >= WINDOW:
            self._before = round(self._count * WINDOW / passed)
            self._since, self._count = self._since + passed, 0
        return round(self._before * AHEAD / WINDOW)
