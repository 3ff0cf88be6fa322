"""Reports on a job: `GET /jobs/{id}` and its log.

Stands beside the whole life of a job, and changes nothing in it. Next: `errand/presenting/report.py`, which writes it.
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
"""Seconds after which an unfinished job may be asked for again: at least, at most, and while nothing is known."""
NOT_IN_ETAG: Final = frozenset({"arguments", "result", "error", "wait_ms"})
"""Fields that the ETag leaves out: large ones that change only together with others, and one that no report shows."""
CACHE_CONTROL: Final = "private, no-cache"


@reports.get("/jobs/<job:job_id>")
@documented(tags=["jobs"], **REPORT_SPEC)
def report(job_id: str) -> Answer:
    """Look at a job

    Shows where the job is in its life, and its result or its error once it has ended. While it has not, `Retry-After`
    says when to ask again; with `Prefer: wait=N` the answer waits for the end, and with `If-None-Match` an unchanged
    job costs a 304.
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

    The last lines that its operation printed or logged, as text.
    """
    found(job_id)
    lines = here().store.log(job_id)
    return Answer(
        "".join(f"{line}\n" for line in lines), headers={"Cache-Control": CACHE_CONTROL}, mimetype="text/plain"
    )


def wait_for_end(job_id: str, within: int) -> Record | None:
    """Wait up to so many seconds for the job's end, and give it then. What was accepted stays so, come what may."""
    if not wait_for(job_id, within):
        return None
    try:
        return here().store.get(job_id)
    except StoreUnavailable:
        return None


def report_answer(job_id: str, record: Record, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Answer with the report on a job."""
    told = {"ETag": f'"{etag_of(record)}"', "Cache-Control": CACHE_CONTROL, **(headers or {})}
    if record["status"] not in FINAL:
        told["Retry-After"] = str(retry_after_seconds(record))
    return json_answer(render(job_id, record), status, told)


def etag_of(record: Record) -> str:
    """Name this state of the job: what a report shows changes only with what goes in here."""
    told = sorted((field, text) for field, text in record.items() if field not in NOT_IN_ETAG)
    return blake2b(repr(told).encode(), digest_size=10).hexdigest()


def retry_after_seconds(record: Record) -> int:
    """Give the seconds after which the job may have ended."""
    expected = math.ceil(int(record["wait_ms"]) / 1000) if "wait_ms" in record else DEFAULT_RETRY_AFTER
    return min(max(expected, MIN_RETRY_AFTER), MAX_RETRY_AFTER)
