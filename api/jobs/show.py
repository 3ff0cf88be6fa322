"""Shows a job and its log: `GET /jobs/{id}` and `GET /jobs/{id}/log`.

`errand/presenting/report.py` writes the report.
"""

import math
from hashlib import blake2b
from typing import Final

from flask import Blueprint, request

from api.context import found, here
from api.events.prefer import HEADER, applied, wait_for, wanted_wait
from api.http.answer import Answer, json_answer
from api.http.specs import documented
from api.jobs.specs import LOG_SPEC, REPORT_SPEC
from errand.errors import StoreUnavailable
from errand.presenting.report import Record, render
from schemas.status import FINAL

reports = Blueprint("reports", __name__)

MIN_RETRY_AFTER, MAX_RETRY_AFTER, DEFAULT_RETRY_AFTER = 1, 60, 1
"""`Retry-After` of an unfinished job, in seconds: at least, at most, and while no job of its kind has ended yet."""
NOT_IN_ETAG: Final = frozenset({"arguments", "result", "error", "wait_ms"})
"""Fields that the ETag leaves out: large ones that only change together with others, and one that no report shows."""
CACHE_CONTROL: Final = "private, no-cache"


@reports.get("/jobs/<job:job_id>")
@documented(tags=["jobs"], **REPORT_SPEC)
def report(job_id: str) -> Answer:
    """Look at a job

    Returns the job's status, and its result or error once it has ended. Until then, `Retry-After` says when to ask
    again. With `Prefer: wait=N` the answer waits up to N seconds for the job's end; with `If-None-Match` an unchanged
    job is answered with 304.
    """
    record = found(job_id)
    headers: dict[str, str] = {}
    if HEADER in request.environ and (seconds := wanted_wait()) is not None:
        headers = applied(seconds)
        if record["status"] not in FINAL:
            wait_for(job_id, seconds)
            record = found(job_id)
    etag = etag_of(record)
    if request.if_none_match.contains_weak(etag):
        return json_answer("", 304, {**headers, "ETag": f'"{etag}"', "Cache-Control": CACHE_CONTROL})
    return report_answer(job_id, record, headers=headers)


@reports.get("/jobs/<job_id>/log")
@documented(tags=["jobs"], **LOG_SPEC)
def log(job_id: str) -> Answer:
    """Read a job's log

    Returns the last lines that the job's operation printed or logged, as plain text.
    """
    found(job_id)
    lines = here().store.log(job_id)
    return Answer(
        "".join(f"{line}\n" for line in lines), headers={"Cache-Control": CACHE_CONTROL}, mimetype="text/plain"
    )


def wait_for_end(job_id: str, within: int) -> Record | None:
    """Wait up to `within` seconds for the job's end; return its record, or None. A store that fails now is no error."""
    if not wait_for(job_id, within):
        return None
    try:
        return here().store.get(job_id)
    except StoreUnavailable:
        return None


def report_answer(job_id: str, record: Record, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Return the report on a job as a response."""
    told = {"ETag": f'"{etag_of(record)}"', "Cache-Control": CACHE_CONTROL, **(headers or {})}
    if record["status"] not in FINAL:
        told["Retry-After"] = str(retry_after_seconds(record))
    return json_answer(render(job_id, record), status, told)


def etag_of(record: Record) -> str:
    """Compute the job's ETag from every field that a report shows."""
    told = sorted((field, text) for field, text in record.items() if field not in NOT_IN_ETAG)
    return blake2b(repr(told).encode(), digest_size=10).hexdigest()


def retry_after_seconds(record: Record) -> int:
    """Return the seconds after which the job may have ended."""
    expected = math.ceil(int(record["wait_ms"]) / 1000) if "wait_ms" in record else DEFAULT_RETRY_AFTER
    return min(max(expected, MIN_RETRY_AFTER), MAX_RETRY_AFTER)
