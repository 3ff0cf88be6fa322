"""Checks a body's times against each other and its time zone, and makes the job to store: its times, limits and queue.

The last step before a job is stored. Next: `api/jobs/submit.py`.
"""

from time import time

from uuid_utils import uuid7

from api.checks.recipients import emails_of, notify_of
from api.http.body import pointer, refusal
from api.http.json_text import Path
from errand.store import NewJob
from errand.zones import timezone_fault
from schemas.moments import Instant
from schemas.operations import Operation
from schemas.problems import Fault
from schemas.requests import ComputeRequest, OperationRequest


def new_job(operation: Operation, arguments: str, body: OperationRequest, max_attempts: int) -> NewJob:
    """Make a job of `operation`. The body's limits override the operation's, which override `max_attempts`."""
    limits, deadline = operation.limits, body.deadline
    return NewJob(
        str(uuid7()),
        operation.name,
        arguments,
        emails_of(body),
        operation.queue,
        body.max_attempts or limits.max_attempts or max_attempts,
        body.priority,
        delay_ms=0 if body.delay is None else round(body.delay * 1000),
        run_at_ms=body.run_at,
        deadline_ms=deadline if isinstance(deadline, Instant) else None,
        deadline_in_ms=round(deadline * 1000) if isinstance(deadline, float) else None,
        timeout=body.timeout,
        tags=tuple(body.tags),
        webhook_url=body.webhook_url,
        notify=notify_of(body),
        timezone=body.timezone,
    )


def refuse_unknown_timezone(body: ComputeRequest | OperationRequest, at: Path = ()) -> None:
    """Raise JobRefused if there is no such time zone; `at` is the path of the job in the body."""
    if body.timezone is not None and (fault := timezone_fault(body.timezone)):
        raise refusal([Fault(pointer=pointer(*at, "timezone"), detail=fault)])


def refuse_contradictory_times(body: OperationRequest, at: Path = (), *, again: bool = False) -> None:
    """Raise JobRefused if the body's times contradict each other; `at` is the path of the job in the body.

    `again`: the request may be a repetition, so a deadline that has come too close since is no fault.
    """
    if body.delay is not None and body.run_at is not None:
        raise refusal(
            [Fault(pointer=pointer(*at, "run_at"), detail="can't be combined with `delay`; send only one of them")]
        )
    if body.deadline is not None and _ends_before_it_begins(body.deadline, body, again=again):
        detail = "is before the job may start; send a later deadline, an earlier `run_at` or a shorter `delay`"
        raise refusal([Fault(pointer=pointer(*at, "deadline"), detail=detail)])


def is_delayed(job: NewJob) -> bool:
    """Return whether the job starts later; the rescuer then releases it and rings its doorbell."""
    return job.delay_ms > 0 or (job.run_at_ms is not None and job.run_at_ms > time() * 1000)


def _ends_before_it_begins(deadline: Instant | float, body: OperationRequest, *, again: bool) -> bool:
    """Compare two moments or two durations directly; a moment and a duration by the clock, unless `again`."""
    run_at, delay, now = body.run_at, body.delay or 0.0, time() * 1000
    if isinstance(deadline, Instant):
        return deadline < run_at if run_at is not None else not again and 0 < delay * 1000 > deadline - now
    return now + deadline * 1000 < run_at if run_at is not None else deadline < delay
