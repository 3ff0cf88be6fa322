"""Turns the ending of an attempt into its outcome: the status that its job gets, and when it is tried again."""

import json
import random
from time import monotonic
from typing import Any

from errand.errors import OperationFailed
from errand.store import Lease, Outcome
from schemas.status import Status
from workers.compute.attempt import Ending
from workers.compute.trace import NO_TRACE
from workers.operations.registry import RegisteredOperation

BACKOFF_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 3600.0
"""Pause before the second attempt where the operation names none, doubled for each further one, up to the longest."""

STATUS_AFTER = {
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "cancelled": Status.CANCELLED,
    "handed_back": Status.ACCEPTED,
}
"""The status of a job after each kind of ending, except that a retryable failure gives `retrying`."""


def outcome_of(lease: Lease, operation: RegisteredOperation | None, ending: Ending, began: float) -> Outcome:
    """Return what is committed for an attempt that ended so; `operation` is None if this worker hasn't it.

    `began`: when, by the monotonic clock.
    """
    status, pause = STATUS_AFTER[ending.kind], 0.0
    if ending.kind == "failed" and ending.retryable:
        first = (operation and operation.spec.limits.backoff) or BACKOFF_SECONDS
        status, pause = Status.RETRYING, pause_before(lease.attempt_of_run, first)
    traceback, place = ending.trace if ending.kind == "failed" else NO_TRACE
    return Outcome(
        lease, status, ending.payload, int(1000 * pause), monotonic() - began, traceback=traceback, place=place
    )


def pause_before(attempt_made: int, first: float) -> float:
    """Return the seconds to wait after so many attempts: growing, and random, so that jobs don't retry all at once."""
    longest = min(first * 2.0 ** min(attempt_made - 1, 30), LONGEST_PAUSE_SECONDS)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 -- spreads load, keeps no secret


def result_of(status: Status, text: str) -> Any:
    """Return the value of a job's result; `text` is its result or error as JSON. Raise OperationFailed for an error."""
    payload = json.loads(text)
    if status is Status.SUCCEEDED:
        return payload
    raise OperationFailed(f"{payload['type']}: {payload['message']}")
