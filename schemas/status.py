"""The seven statuses of a job.

`errand/moves.py` says which status may follow which.
"""

from enum import StrEnum


class Status(StrEnum):
    """Status of a job. The last three are final: such a job is deleted at the end of its retention."""

    SCHEDULED = "scheduled"
    """Has a delay, and waits for its time."""
    ACCEPTED = "accepted"
    """Stored and waiting for a worker."""
    RUNNING = "running"
    """A worker holds its lease."""
    RETRYING = "retrying"
    """Its last attempt failed; it will run again."""
    SUCCEEDED = "succeeded"
    """Final: it has a result."""
    FAILED = "failed"
    """Final: it has an error."""
    CANCELLED = "cancelled"
    """Final: a client cancelled it, or its deadline passed."""


FINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
