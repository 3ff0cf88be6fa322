"""How soon slots come free, by how many did of late.

Stands at step 4 of a job's life, under `pool.py`: who is told before a slot is free can have a job there in time.
"""

from time import monotonic

WINDOW = 0.1
"""Seconds over which ends are counted."""
AHEAD = 0.08
"""Seconds for which jobs are taken ahead: some ten milliseconds pass until they are where they run, and several times
that when the worker or the store has something else to do for a moment."""


class SlotTurnover:
    """Counts ends of jobs."""

    def __init__(self) -> None:
        """Begin with none."""
        self._since, self._count, self._before = monotonic(), 0, 0

    def count(self) -> None:
        """Count one more."""
        self._count += 1

    def soon(self) -> int:
        """Tell how many will end within AHEAD, if it goes on as it did."""
        passed = monotonic() - self._since
        if passed >= WINDOW:
            self._before = round(self._count * WINDOW / passed)
            self._since, self._count = self._since + passed, 0
        return round(self._before * AHEAD / WINDOW)
