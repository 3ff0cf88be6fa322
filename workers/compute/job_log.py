"""Logs one line for each attempt that ended: operation, status, seconds; if it failed, also the error and its place.

`service.py` calls it once the outcomes are committed. The traceback of an error that the operation didn't raise for
people follows the line.
"""

import logging
from collections.abc import Sequence
from time import monotonic
from typing import Final

from errand.job_error import read_error
from errand.presenting.safe_text import one_line
from errand.store import Commit, Outcome
from schemas.status import Status

log = logging.getLogger(__name__)

WORDS = {Status.ACCEPTED: "handed back"}
"""For statuses that say too little in a log."""
FAILED: Final = (Status.FAILED, Status.RETRYING)
MAX_ERROR: Final = 500
"""Maximum characters of an error in its line."""
TRACEBACK_SECONDS: Final = 60.0
"""The same failure logs its traceback once in this time: an operation that always fails would flood the log."""
MOST_FAILURES: Final = 1000
"""Maximum failures that are remembered for it."""

_logged: dict[tuple[str, str, str], float] = {}


def log_ends(outcomes: Sequence[Outcome], commits: Sequence[Commit]) -> None:
    """Log each outcome that was stored."""
    for outcome, commit in zip(outcomes, commits, strict=True):
        if commit.status and outcome.status in FAILED:
            _log_failure(outcome, again=commit.status is Status.RETRYING)
        elif commit.status and log.isEnabledFor(logging.INFO):
            said = outcome.lease.operation, WORDS.get(commit.status, commit.status.value), outcome.seconds
            log.info("%s %s after %.3f s", *said, extra={"action": "attempt_ended", "job_id": outcome.lease.id})


def _log_failure(outcome: Outcome, *, again: bool) -> None:
    lease, error = outcome.lease, read_error(outcome.payload)
    counted = f"attempt {lease.attempt} of {lease.max_attempts} after {outcome.seconds:.3f} s"
    later = f", goes on in {outcome.retry_ms / 1000:.3g} s" if again else ""
    place = f" ({outcome.place})" if outcome.place else ""
    said = f"{lease.operation} failed in {counted}{later}: {one_line(error.line, MAX_ERROR)}{place}"
    shown = not error.public and _is_due((lease.operation, error.type, outcome.place))
    extra = {"action": "attempt_failed", "job_id": lease.id, "traceback": outcome.traceback if shown else ""}
    log.warning("%s", said, extra=extra)


def _is_due(failure: tuple[str, str, str]) -> bool:
    """Return whether a failure (operation, type of the error, place) may log its traceback now."""
    now = monotonic()
    if now - _logged.get(failure, -TRACEBACK_SECONDS) < TRACEBACK_SECONDS:
        return False
    if len(_logged) >= MOST_FAILURES:
        _logged.clear()
    _logged[failure] = now
    return True
