"""Turns a job's record into the values that `templates/view.html` shows.

The page shows the operation and its result, but neither the other recipients nor the webhook's address. Next:
`result.py`.
"""

import json
from typing import Any, Final

from api.pages.result import LIMITS, result_view
from errand.presenting import safe_text
from errand.presenting.attempts import Attempt, attempts_of
from errand.presenting.explanation import message_for_people, reason_of
from errand.presenting.lay_out import lay_out
from errand.presenting.layout import Node
from errand.presenting.result_shape import Table
from errand.presenting.times import in_words, time_in
from errand.record import JobRecord
from errand.trust.links import OpenedLink
from schemas.status import FINAL, Status

MAX_WORDS: Final = 300
"""Maximum characters of what an operation says about its progress."""
MAX_MESSAGE: Final = 2_000
"""Maximum characters of an error's message."""
HEADINGS: Final[dict[str, str]] = {
    Status.SCHEDULED: "Your job is waiting for its time",
    Status.ACCEPTED: "Your job is waiting for a worker",
    Status.RUNNING: "Your job is running",
    Status.RETRYING: "Your job will be tried again",
    Status.SUCCEEDED: "Your operation is complete!",
    Status.FAILED: "An error occurred",
    Status.CANCELLED: "Your operation was cancelled",
}

ViewModel = dict[str, Any]


def view_model_of(link: OpenedLink, record: JobRecord) -> ViewModel:
    """Return the values of `templates/view.html`."""
    status = record.status
    return {
        "heading": HEADINGS[status],
        "id": link.job_id,
        "operation": safe_text.operation(record.operation, record.arguments or ""),
        "name": safe_text.one_line(record.operation, safe_text.MAX_VALUE),
        "status": status,
        "is_final": status in FINAL,
        "error": _error(record),
        "progress": _progress(record) if status is Status.RUNNING else None,
        "result": result_view(record.result or "null") if status is Status.SUCCEEDED else None,
        "position": _position(record),
        "attempts": _attempts(record),
        "facts": list(_facts(link, record)),
        "until": moment(min(link.expires * 1000, record.expires_at or link.expires * 1000), record.timezone),
        "kept": moment(record.expires_at or 0, record.timezone) if _outlives(record, link) else None,
    }


def moment(ms: int, timezone: str | None) -> tuple[str, str]:
    """Write a time twice: for people in this time zone, and in ISO 8601 for programs."""
    return in_words(time_in(ms // 1000, timezone), seconds=True), time_in(ms // 1000, None).isoformat()


def duration(ms: int) -> str:
    """Write a duration for people."""
    if ms < 1_000:
        return f"{ms} ms" if ms else "less than 1 ms"
    if ms < 10_000:
        return f"{ms / 1000:.2f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _error(record: JobRecord) -> ViewModel | None:
    if record.error is None:
        return None
    cancelled = record.status is Status.CANCELLED
    return {"message": (reason_of if cancelled else message_for_people)(record.error, MAX_MESSAGE)}


def _progress(record: JobRecord) -> ViewModel | None:
    if record.progress is None:
        return None
    progress = json.loads(record.progress)
    left = progress.get("eta_seconds")
    return {
        "part": progress["progress"],
        "percent": f"{100 * progress['progress']:.0f} %",
        "message": safe_text.one_line(progress.get("message") or "", MAX_WORDS),
        "left": None if left is None else duration(max(1, round(left)) * 1000).replace(".00", ""),
    }


def _attempts(record: JobRecord) -> Node | None:
    """Return a table of the attempts, if there was more than one."""
    attempts = attempts_of(record)
    if len(attempts) < 2:
        return None
    rows = [_attempt_row(each, record.timezone) for each in attempts]
    return lay_out(Table(("Attempt", "Started", "Took", "Outcome", "Reason"), rows), LIMITS)


def _attempt_row(attempt: Attempt, timezone: str | None) -> tuple[str, ...]:
    started, ended = attempt.started_at, attempt.ended_at
    took = "" if started is None or ended is None else duration(ended - started)
    words = attempt.outcome.replace("_", " "), message_for_people(attempt.error, MAX_WORDS) if attempt.error else ""
    return (str(attempt.number), "" if started is None else moment(started, timezone)[0], took, *words)


def _position(record: JobRecord) -> str | None:
    """Return a sentence on how many jobs are ahead in the queue, or None."""
    if not (number := record.position):
        return None
    return "One other job is ahead of it." if number == 1 else f"{number:,} other jobs are ahead of it."


def _facts(link: OpenedLink, record: JobRecord) -> "list[tuple[str, str, str | None]]":
    """Return the list of facts: a name, a text, and the ISO 8601 form if the text is a time."""
    times = {
        "Accepted": record.created_at,
        "Runs": None if record.status in FINAL else record.run_at,
        "Started": record.started_at,
        "Ended": record.finished_at,
    }
    facts: list[tuple[str, str, str | None]] = [("Job", link.job_id, None), ("Status", record.status, None)]
    facts += [(name, *moment(ms, record.timezone)) for name, ms in times.items() if ms is not None]
    if record.started_at is not None and record.finished_at is not None:
        facts.append(("Took", duration(record.finished_at - record.started_at), None))
    if record.attempt > 1:
        facts.append(("Attempts", str(record.attempt), None))
    if record.expires_at is not None and not _outlives(record, link):
        facts.append(("Kept until", *moment(record.expires_at, record.timezone)))
    return facts


def _outlives(record: JobRecord, link: OpenedLink) -> bool:
    """Return whether the page names two times: the job is kept at least a second longer than its link works."""
    return record.expires_at is not None and record.expires_at // 1000 > link.expires
