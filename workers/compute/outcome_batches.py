"""Gathers the outcomes of attempts that end one by one in children, so that one commit serves many.

While a batch is being committed the next one gathers. The executor adds outcomes; the batch goes to
`OperationService.conclude` in `service.py`.
"""

import logging
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import eventlet

from errand.store import Outcome

log = logging.getLogger(__name__)

MOST_OUTCOMES = 250
"""Maximum outcomes in one commit."""

Conclude = Callable[[Sequence[Outcome]], None]
"""Commits and announces outcomes."""


class OutcomeBatches:
    """Passes outcomes on in batches, from one greenthread at a time."""

    def __init__(self) -> None:
        """Begin with nothing expected."""
        self._expected = 0
        self._outcomes: list[Outcome] = []
        self._concluding = False
        self._greenthread: Any = None

    def expect(self) -> None:
        """Note that one more attempt has started, whose outcome will be added."""
        self._expected += 1

    def add(self, outcome: Outcome, conclude: Conclude) -> None:
        """Conclude an outcome, together with all others that have arrived by then."""
        self._outcomes.append(outcome)
        if not self._concluding:
            self._concluding = True
            self._greenthread = eventlet.spawn(self._conclude_all, conclude)

    @property
    def expected(self) -> int:
        """The number of attempts whose outcomes aren't concluded yet."""
        return self._expected

    def wait(self, seconds: float) -> None:
        """Wait until every expected outcome is concluded, at most so many seconds."""
        deadline = monotonic() + seconds
        while self._expected and monotonic() < deadline:
            eventlet.sleep(0.02)

    def close(self) -> None:
        """Conclude nothing any more."""
        if self._greenthread is not None:
            self._greenthread.kill()

    def _conclude_all(self, conclude: Conclude) -> None:
        while self._outcomes:
            batch, self._outcomes = self._outcomes[:MOST_OUTCOMES], self._outcomes[MOST_OUTCOMES:]
            try:
                conclude(batch)
            except Exception:
                log.exception("Outcomes could not be committed", extra={"action": "hand_in_fault"})
            self._expected -= len(batch)
        self._concluding = False
