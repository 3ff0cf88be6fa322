"""Logs one line for each attempt that ended: operation, status, seconds.

`service.py` calls it once the outcomes are committed.
"""

import logging
from collections.abc import Sequence

from errand.store import Commit, Outcome
from schemas.status import Status

log = logging.getLogger(__name__)

WORDS = {Status.ACCEPTED: "handed back"}
"""For statuses that say too little in a log."""


def log_ends(outcomes: Sequence[Outcome], commits: Sequence[Commit]) -> None:
    """Log each outcome that was stored."""
    if not log.isEnabledFor(logging.INFO):
        return
    for outcome, commit in zip(outcomes, commits, strict=True):
        if commit.status:
            said = outcome.lease.operation, WORDS.get(commit.status, commit.status.value), outcome.seconds
            log.info("%s %s after %.3f s", *said, extra={"action": "attempt_ended", "job_id": outcome.lease.id})
