"""Reports on a job: `GET /jobs/{id}`.

Stands beside the whole life of a job, and changes nothing in it. Next: `schemas/jobs.py`, the shape of the report.
"""

import json
import re
from datetime import UTC, datetime
from typing import Final
from zlib import crc32

from flask import Blueprint, request
from pydantic_core import from_json

from api.answers import Answer, answer
from api.ports import here
from api.specs import REPORTING, documented
from errand.errors import JobUnknown
from schemas.notices import Notification
from schemas.status import FINAL

reports = Blueprint("reports", __name__)

ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ASK_AGAIN_SECONDS: Final = "1"

Record = dict[str, str]
"""A job as the store has it: text by field; times in ms, `arguments`, `result`, `error` and `note:…` are JSON."""


@reports.get("/jobs/<job_id>")
@documented(tags=["jobs"], **REPORTING)
def report(job_id: str) -> Answer:
    """Look at a job

    Shows where the job is in its life, and its result or its error once it has ended. While it has not, `Retry-After`
    says when to ask again; with `If-None-Match` an unchanged job costs a 304.
    """
    record = here().store.get(job_id) if ID.fullmatch(job_id) else None
    if record is None:
        raise JobUnknown()
    headers = {"ETag": f'"{version(record)}"', "Cache-Control": "private, no-cache"}
    if record["status"] not in FINAL:
        headers["Retry-After"] = ASK_AGAIN_SECONDS
    if request.if_none_match.contains_weak(version(record)):
        return answer("", 304, headers)
    return answer(render(job_id, record), 200, headers)


def version(record: Record) -> str:
    """Name this state of the job: what a report shows changes only with what goes in here."""
    notes = "".join(record[field] for field in _notes(record))
    return f"{record['status']}-{record.get('attempt', '0')}-{crc32(notes.encode()):08x}"


def render(job_id: str, record: Record) -> str:
    """Write the report. What the store has as JSON goes in as it is, so that every number stays what it was."""
    members = {
        "id": json.dumps(job_id),
        "operation": json.dumps(record["operation"]),
        "arguments": record["arguments"],
        "status": json.dumps(record["status"]),
        "result": record.get("result", "null"),
        "error": record.get("error", "null"),
        "attempt": record.get("attempt", "0"),
        "max_attempts": record["max_attempts"],
        "progress": record.get("progress", "null"),
        "tags": record.get("tags", "[]"),
        **{name: _moment(record.get(name)) for name in ("created_at", "started_at", "finished_at", "expires_at")},
        "notifications": "[" + ",".join(_notification(record[field]) for field in _notes(record)) + "]",
        "links": f'{{"self":"/jobs/{job_id}","events":"/jobs/{job_id}/events"}}',
    }
    return "{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}\n"


def moment(ms: int) -> str:
    """Write a time as RFC 3339, in UTC, with milliseconds."""
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


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
