"""Shows a job, its attempts and its log: `GET /jobs/{id}`, `GET /jobs/{id}/attempts` and `GET /jobs/{id}/log`.

`errand/presenting/report.py` writes the report.
"""

import math
from hashlib import blake2b
from typing import Final

from flask import Blueprint, request

from api.context import current_errand, job_record
from api.events.prefer import HEADER, applied, preferred_wait, wait_for
from api.http.answer import Answer, json_answer
from api.http.preconditions import not_modified
from api.http.specs import documented
from api.jobs.specs import ATTEMPTS_SPEC, LOG_SPEC, REPORT_SPEC
from errand.errors import StoreUnavailable
from errand.presenting.report import attempts_text, render
from errand.record import JobRecord
from schemas.status import FINAL

reports = Blueprint("reports", __name__)

MIN_RETRY_AFTER, MAX_RETRY_AFTER, DEFAULT_RETRY_AFTER = 1, 60, 1
"""`Retry-After` of an unfinished job, in seconds: minimum, maximum, and default while no job of its kind has ended."""
CACHE_CONTROL: Final = "private, no-cache"


@reports.get("/jobs/<job:job_id>")
@documented("getJob", tags=["jobs"], **REPORT_SPEC)
def report(job_id: str) -> Answer:
    """Look at a job

    Returns the job's status, and its result or error once it has ended. Until then, `Retry-After` says when to ask
    again. With `Prefer: wait=N` the answer waits up to N seconds for the job's end; with `If-None-Match` an unchanged
    job is answered with 304.
    """
    record = job_record(job_id)
    headers: dict[str, str] = {}
    if HEADER in request.environ and (seconds := preferred_wait()) is not None:
        headers = applied(seconds)
        if record.status not in FINAL:
            wait_for(job_id, seconds)
            record = job_record(job_id)
    etag = etag_of(record)
    if not_modified(etag):
        return json_answer("", 304, {**headers, "ETag": f'"{etag}"', "Cache-Control": CACHE_CONTROL})
    return report_answer(record, headers=headers)


@reports.get("/jobs/<job:job_id>/attempts")
@documented("getJobAttempts", tags=["jobs"], **ATTEMPTS_SPEC)
def attempts(job_id: str) -> Answer:
    """List a job's attempts

    Returns each attempt with its outcome, the oldest first: also those made before the job was run again by hand.
    """
    text = attempts_text(job_record(job_id))
    return json_answer(f'{{"attempts":{text}}}\n', 200, {"Cache-Control": CACHE_CONTROL})


@reports.get("/jobs/<job:job_id>/log")
@documented("getJobLog", tags=["jobs"], **LOG_SPEC)
def log(job_id: str) -> Answer:
    """Read a job's log

    Returns the last lines that the job's operation printed or logged, as plain text.
    """
    job_record(job_id)
    lines = current_errand().store.log(job_id)
    return Answer(
        "".join(f"{line}\n" for line in lines), headers={"Cache-Control": CACHE_CONTROL}, mimetype="text/plain"
    )


def wait_for_end(job_id: str, within: int) -> JobRecord | None:
    """Wait up to `within` seconds for the job's end; return its record, or None. A store that fails now is no error."""
    if not wait_for(job_id, within):
        return None
    try:
        return current_errand().store.get(job_id)
    except StoreUnavailable:
        return None


def report_answer(record: JobRecord, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Return the report on a job as a response."""
    all_headers = {"ETag": f'"{etag_of(record)}"', "Cache-Control": CACHE_CONTROL, **(headers or {})}
    if record.status not in FINAL:
        all_headers["Retry-After"] = str(retry_after_seconds(record))
    return json_answer(render(record, request.root_path), status, all_headers)


def etag_of(record: JobRecord) -> str:
    """Compute the job's ETag from every field that a report shows and that changes.

    Result and error are left out, which may be large: they change only together with the status or the attempt.
    """
    moments = (record.run_at, record.deadline, record.started_at, record.finished_at, record.expires_at)
    counts = (record.attempt, record.fence, record.retries, record.position)
    state = (record.status.value, record.progress, record.replays, *counts, *moments, sorted(record.notes.items()))
    return blake2b(repr(state).encode(), digest_size=10).hexdigest()


def retry_after_seconds(record: JobRecord) -> int:
    """Return the seconds after which the job may have ended."""
    expected = DEFAULT_RETRY_AFTER if record.wait_ms is None else math.ceil(record.wait_ms / 1000)
    return min(max(expected, MIN_RETRY_AFTER), MAX_RETRY_AFTER)
