"""The legal moves: the one table of which status may follow which.

`errand/store/redis_access/script_loader.py` gives this table to the Redis scripts, which refuse every other move.
`docs/life-of-a-job.md` draws it, and a test compares all three. Next: `store/jobs.py`.
"""

from schemas.status import Status

LEGAL: dict[Status | None, frozenset[Status]] = {
    None: frozenset({Status.ACCEPTED, Status.SCHEDULED}),
    Status.SCHEDULED: frozenset({Status.ACCEPTED, Status.CANCELLED}),
    Status.ACCEPTED: frozenset({Status.RUNNING, Status.CANCELLED}),
    Status.RUNNING: frozenset(
        # back to accepted: its worker died or handed it back
        {Status.ACCEPTED, Status.RETRYING, Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}
    ),
    Status.RETRYING: frozenset({Status.ACCEPTED, Status.CANCELLED}),
    Status.SUCCEEDED: frozenset(),
    # retried by a client
    Status.FAILED: frozenset({Status.ACCEPTED}),
    Status.CANCELLED: frozenset({Status.ACCEPTED}),
}
