"""The seven statuses of a job, each documented where it stands.

Which status may follow which is one table: `errand/moves.py`.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a job is in its life. The last three are final: only retention removes such a job."""

    SCHEDULED = "scheduled"
    """Has a delay; waits for its time to come."""
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
    """Final: its owner called it off, or its deadline passed."""


FINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
