"""The report on a job: its record as clients see it, as JSON text.

Stands at both ends of a job's life: `api/jobs/show.py` answers with it, `workers/webhooks/cloudevents.py` sends it to
a webhook. What the store has as JSON goes in as it is, so that every number stays what it was. Next:
`schemas/jobs.py`, its shape.
"""

import json
from datetime import UTC, datetime
from typing import Final

from pydantic_core import from_json

from schemas.notices import Notification

TIMES: Final = ("created_at", "run_at", "deadline", "started_at", "finished_at", "expires_at")
FIRST: Final = ("id", "operation", "arguments", "status", "result")
"""Members that a report begins with, as people read from the left."""

Record = dict[str, str]
"""A job as the store has it: text by field; times in ms, `arguments`, `result`, `error` and `note:…` are JSON."""


def render(job_id: str, record: Record) -> str:
    """Write the report."""
    notes = ",".join(_notification(record[field]) for field in _notes(record))
    return written(members_of(job_id, record) | {"notifications": f"[{notes}]"})


def members_of(job_id: str, record: Record) -> dict[str, str]:
    """Give what a report has but who was told, each as JSON text."""
    members = {
        **summary_of(job_id, record),
        "arguments": record.get("arguments", "null"),
        "result": record.get("result", "null"),
        "webhook_url": json.dumps(record.get("webhook_url")),
        "position": record.get("position", "null"),
    }
    return {name: members[name] for name in FIRST} | members


def summary_of(job_id: str, record: Record) -> dict[str, str]:
    """Give what a report and a row of the list have in common, each as JSON text."""
    path, origin = f"/jobs/{job_id}", record.get("origin")
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
        "origin": f'"{origin}"' if origin else "null",
        **{name: _moment(record.get(name)) for name in TIMES},
        "links": _links(path, origin),
    }


def written(members: dict[str, str]) -> str:
    """Write an object whose members are JSON text already."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}\n"


def moment(ms: int) -> str:
    """Write a time as RFC 3339, in UTC, with milliseconds."""
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:03d}Z"


def _links(path: str, origin: str | None) -> str:
    also = f',"origin":"/jobs/{origin}"' if origin else ""
    return f'{{"self":"{path}","events":"{path}/events","log":"{path}/log"{also}}}'


def _moment(ms: str | None) -> str:
    return f'"{moment(int(ms))}"' if ms else "null"


def _notes(record: Record) -> list[str]:
    return sorted((field for field in record if field.startswith("note:")), key=_place)


def _place(field: str) -> tuple[bool, str, str, int]:
    """Order notifications: receipts first, then what was mailed, each in the order of its addresses or its runs."""
    _, channel, name = field.split(":", 2)
    kind, _, number = name.partition("-")
    return kind != "receipt", channel, kind, int(number or 0)


def _notification(text: str) -> str:
    note = from_json(text)
    sent_at = note.get("sent_at")
    note["sent_at"] = None if sent_at is None else moment(int(sent_at))
    return Notification.model_validate(note).model_dump_json()
