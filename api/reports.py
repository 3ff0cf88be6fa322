"""Reports on a job: `GET /jobs/{id}` and its log.

Stands beside the whole life of a job, and changes nothing in it. Next: `schemas/jobs.py`, the shape of the report.
"""

import json
import math
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

from flask import Blueprint, request
from pydantic_core import from_json

from api.answers import Answer, answer
from api.job_specs import LOGGING, REPORTING
from api.ports import here
from api.preferences import HEADER, applied, wait_for, wanted_wait
from api.specs import documented
from errand.errors import JobUnknown, StoreUnavailable
from schemas.jobs import ID
from schemas.notices import Notification
from schemas.status import FINAL

reports = Blueprint("reports", __name__)

SOONEST, LATEST, USUAL = 1, 60, 1
"""Seconds after which an unfinished job may be asked for again: at least, at most, and while nothing is known."""
UNTOLD: Final = frozenset({"arguments", "result", "error", "wait_ms"})
"""Fields that the ETag leaves out: large ones that change only together with others, and one that no report shows."""
TIMES: Final = ("created_at", "run_at", "deadline", "started_at", "finished_at", "expires_at")
FIRST: Final = ("id", "operation", "arguments", "status", "result")
"""Members that a report begins with, as people read from the left."""
CACHING: Final = "private, no-cache"

Record = dict[str, str]
"""A job as the store has it: text by field; times in ms, `arguments`, `result`, `error` and `note:…` are JSON."""


@reports.get("/jobs/<job:job_id>")
@documented(tags=["jobs"], **REPORTING)
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
    etag = version(record)
    if request.if_none_match.contains_weak(etag):
        return answer("", 304, {**headers, "ETag": f'"{etag}"', "Cache-Control": CACHING})
    return shown(job_id, record, headers=headers)


@reports.get("/jobs/<job_id>/log")
@documented(tags=["jobs"], **LOGGING)
def log(job_id: str) -> Answer:
    """Read a job's log

    The last lines that its operation printed or logged, as text.
    """
    found(job_id)
    lines = here().store.log(job_id)
    return Answer("".join(f"{line}\n" for line in lines), headers={"Cache-Control": CACHING}, mimetype="text/plain")


def found(job_id: str) -> Record:
    """Give the job's record; raise JobUnknown."""
    record = here().store.get(job_id) if ID.fullmatch(job_id) else None
    if record is None:
        raise JobUnknown()
    return record


def finished(job_id: str, within: int) -> Record | None:
    """Wait up to so many seconds for the job's end, and give it then. What was accepted stays so, come what may."""
    if not wait_for(job_id, within):
        return None
    try:
        return here().store.get(job_id)
    except StoreUnavailable:
        return None


def shown(job_id: str, record: Record, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Answer with the report on a job."""
    told = {"ETag": f'"{version(record)}"', "Cache-Control": CACHING, **(headers or {})}
    if record["status"] not in FINAL:
        told["Retry-After"] = str(ask_again_after(record))
    return answer(render(job_id, record), status, told)


def version(record: Record) -> str:
    """Name this state of the job: what a report shows changes only with what goes in here."""
    told = sorted((field, text) for field, text in record.items() if field not in UNTOLD)
    return blake2b(repr(told).encode(), digest_size=10).hexdigest()


def ask_again_after(record: Record) -> int:
    """Give the seconds after which the job may have ended."""
    expected = math.ceil(int(record["wait_ms"]) / 1000) if "wait_ms" in record else USUAL
    return min(max(expected, SOONEST), LATEST)


def render(job_id: str, record: Record) -> str:
    """Write the report. What the store has as JSON goes in as it is, so that every number stays what it was."""
    notes = ",".join(_notification(record[field]) for field in _notes(record))
    members = {
        **summary_of(job_id, record),
        "arguments": record["arguments"],
        "result": record.get("result", "null"),
        "position": record.get("position", "null"),
        "notifications": f"[{notes}]",
    }
    return written({name: members[name] for name in FIRST} | members)


def summary_of(job_id: str, record: Record) -> dict[str, str]:
    """Give what a report and a row of the list have in common, each as JSON text."""
    path = f"/jobs/{job_id}"
    return {
        "id": f'"{job_id}"',
        "operation": json.dumps(record["operation"]),
        "status": f'"{record["status"]}"',
        "error": record.get("error", "null"),
        "attempt": record.get("attempt", "0"),
        "max_attempts": record["max_attempts"],
        "priority": f'"{record.get("priority", "normal")}"',
        "timeout": record.get("timeout", "null"),
        "progress": record.get("progress", "null"),
        "tags": record.get("tags", "[]"),
        **{name: _moment(record.get(name)) for name in TIMES},
        "links": f'{{"self":"{path}","events":"{path}/events","log":"{path}/log"}}',
    }


def written(members: dict[str, str]) -> str:
    """Write an object whose members are JSON text already."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}\n"


def moment(ms: int) -> str:
    """Write a time as RFC 3339, in UTC, with milliseconds."""
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:03d}Z"


def _moment(ms: str | None) -> str:
    return f'"{moment(int(ms))}"' if ms else "null"


def _notes(record: Record) -> list[str]:
    # by name, a failure comes before the receipt; as they happen, the receipt is always first
    names = (field for field in record if field.startswith("note:"))
    return sorted(names, key=lambda name: (not name.endswith(":receipt"), name))


def _notification(text: str) -> str:
    note = from_json(text)
    sent_at = note.get("sent_at")
    note["sent_at"] = None if sent_at is None else moment(int(sent_at))
    return Notification.model_validate(note).model_dump_json()
