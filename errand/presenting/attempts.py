"""Reads the history of a job's attempts from its record, the oldest first.

`report.py` writes it for clients, `api/pages/view_model.py` for readers of mails, `errand/attempts.py` for operators.
"""

import json
from typing import Final, NamedTuple

from errand.job_error import read_error
from errand.record import JobRecord
from schemas.jobs import AttemptOutcome
from schemas.status import Status

_OUTCOMES_OF_ERRORS: Final = {"TimedOut": AttemptOutcome.TIMED_OUT, "WorkerDied": AttemptOutcome.WORKER_DIED}
_OUTCOMES: Final = {
    Status.RUNNING: AttemptOutcome.RUNNING,
    Status.SUCCEEDED: AttemptOutcome.SUCCEEDED,
    Status.CANCELLED: AttemptOutcome.CANCELLED,
    Status.ACCEPTED: AttemptOutcome.WORKER_DIED,
}


class Attempt(NamedTuple):
    """One attempt. The moments are in ms; `error` is JSON text (`errand/job_error.py`)."""

    number: int
    outcome: AttemptOutcome
    started_at: int | None
    ended_at: int | None
    worker: str | None
    error: str | None


def attempts_of(record: JobRecord) -> list[Attempt]:
    """Return the attempts that have begun; of a job with very many, the latest."""
    rows = [_read(line) for line in record.attempts]
    if record.started_at is not None and record.attempt > (rows[-1].number if rows else 0):
        rows.append(_latest(record))
    return rows


def _read(line: str) -> Attempt:
    row = json.loads(line)  # unlike pydantic's, this reader takes the lone surrogates of a message
    error = json.dumps(row["error"], separators=(",", ":")) if row["error"] else None  # as `for_clients` expects it
    outcome = _outcome(AttemptOutcome(row["outcome"]), error)
    return Attempt(row["number"], outcome, row["started_at"], row["ended_at"], row["worker"], error)


def _latest(record: JobRecord) -> Attempt:
    """Return the attempt that the record itself tells of: it runs, succeeded at once, or is of an earlier release."""
    outcome = _OUTCOMES.get(record.status, AttemptOutcome.FAILED)
    ended = (_outcome(outcome, record.error), record.started_at, record.finished_at, record.worker)
    return Attempt(record.attempt, *ended, record.error)


def _outcome(outcome: AttemptOutcome, error: str | None) -> AttemptOutcome:
    if outcome is not AttemptOutcome.FAILED or not error:
        return outcome
    return _OUTCOMES_OF_ERRORS.get(read_error(error).type, outcome)
