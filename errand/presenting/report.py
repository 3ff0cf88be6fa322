"""The report on a job: its record as clients see it, as JSON text.

`api/jobs/show.py` answers with it, and `workers/webhooks/cloudevents.py` sends it to a webhook. JSON from the store
goes in as it is, so that every number stays what it was. Next: `schemas/jobs.py`, its shape.
"""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from pydantic_core import from_json

from errand.job_error import for_clients
from errand.presenting.attempts import Attempt, attempts_of
from errand.presenting.explanation import explanation_of
from errand.record import JobRecord
from schemas.notifications import Channel, NoticeKind, Notification

FIRST: Final = ("id", "operation", "arguments", "status", "result")
"""Members that a report begins with, as people read from the left."""

_json = lru_cache(1024)(json.dumps)
"""JSON of names and tags, cached, as the rows of a list repeat the same few."""


def render(record: JobRecord, root: str = "") -> str:
    """Write the report. All paths in it begin with `root`, the path of PUBLIC_URL."""
    notes = ",".join(_notification(record.notes[name]) for name in sorted(record.notes, key=_rank))
    return written(members_of(record, root) | {"attempts": attempts_text(record), "notifications": f"[{notes}]"})


def attempts_text(record: JobRecord) -> str:
    """Write the list of the job's attempts."""
    return "[" + ",".join([written(_attempt(each)).rstrip() for each in attempts_of(record)]) + "]"


def members_of(record: JobRecord, root: str = "") -> dict[str, str]:
    """Return the members of a report except for its notifications, each as JSON text."""
    members = {
        **summary_of(record, root),
        "arguments": record.arguments or "null",
        "result": record.result or "null",
        "webhook_url": json.dumps(record.webhook_url),
        "timezone": _json(record.timezone),
        "position": "null" if record.position is None else str(record.position),
    }
    return {name: members[name] for name in FIRST} | members


def summary_of(record: JobRecord, root: str = "") -> dict[str, str]:
    """Return the members that a report and a row of the list share, each as JSON text."""
    origin = record.origin
    return {
        "id": f'"{record.id}"',
        "operation": _json(record.operation),
        "status": f'"{record.status.value}"',
        "error": for_clients(record.error) if record.error else "null",
        "explanation": "null" if (said := explanation_of(record)) is None else json.dumps(said, ensure_ascii=False),
        "attempt": str(record.attempt),
        "max_attempts": str(record.max_attempts),
        "priority": f'"{record.priority}"',
        "timeout": "null" if record.timeout is None else repr(record.timeout),
        "progress": record.progress or "null",
        "tags": _json(record.tags),
        "origin": f'"{origin}"' if origin else "null",
        "replays": _json(record.replays),
        "created_at": _moment(record.created_at),
        "run_at": _moment(record.run_at),
        "deadline": _moment(record.deadline),
        "started_at": _moment(record.started_at),
        "finished_at": _moment(record.finished_at),
        "expires_at": _moment(record.expires_at),
        "links": _links(f"{root}/jobs", record),
    }


def written(members: dict[str, str]) -> str:
    """Write an object whose members are JSON text already."""
    return "{" + ",".join([f'"{name}":{text}' for name, text in members.items()]) + "}\n"


def moment(ms: int) -> str:
    """Write a time as RFC 3339, in UTC, with milliseconds."""
    seconds, rest = divmod(ms, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(4096)
def _second(seconds: int) -> str:
    """Write a time without its fraction; cached, as the moments of a job and of its neighbours often share a second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def _links(jobs: str, record: JobRecord) -> str:
    path = f"{jobs}/{record.id}"
    also = f',"origin":"{jobs}/{record.origin}"' if record.origin else ""
    also += f',"replays":"{jobs}?tag=origin:{record.id}"' if record.replays else ""
    return f'{{"self":"{path}","events":"{path}/events","log":"{path}/log"{also}}}'


def _moment(ms: int | None) -> str:
    return "null" if ms is None else f'"{moment(ms)}"'


def _attempt(each: Attempt) -> dict[str, str]:
    return {
        "number": str(each.number),
        "outcome": f'"{each.outcome}"',
        "started_at": _moment(each.started_at),
        "ended_at": _moment(each.ended_at),
        "worker": json.dumps(each.worker),
        "error": for_clients(each.error) if each.error else "null",
    }


def _rank(note: str) -> tuple[bool, str, int, str, int]:
    """Order notifications: receipts first, then mails and webhooks, each by its run and then by its address.

    Mails are called `failure`, `failure-2` for the second address, `failure1-2` after the job was run again; webhooks
    `failure`, and `failure-1` after the job was run again.
    """
    channel, name = note.split(":", 1)
    head, _, number = name.partition("-")
    kind = head.rstrip("0123456789")
    run, address = (number, 0) if channel == Channel.WEBHOOK else (head.removeprefix(kind), int(number or 0))
    return kind != NoticeKind.RECEIPT, channel, int(run or 0), kind, address


def _notification(text: str) -> str:
    note = from_json(text)
    sent_at = note.get("sent_at")
    note["sent_at"] = None if sent_at is None else moment(int(sent_at))
    return Notification.model_validate(note).model_dump_json()
