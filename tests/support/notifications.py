"""Notifications as a worker claims them, made of a job's fields as Redis has them."""

from collections.abc import Mapping
from typing import Any

from errand.record import JobRecord
from errand.store import DueJobNotification, DueLetter, DueNotification
from schemas.notifications import NoticeKind

REQUIRED = {"operation": "sum", "status": "succeeded", "created_at": "0", "max_attempts": "3"}
"""What every job has."""


def due(kind: NoticeKind, job_id: str, fields: Mapping[str, str], **claimed: Any) -> DueNotification:
    """Make a notification of the job with these fields, or a letter with its `subject` and `body`."""
    claimed = {"kind": kind, "id": job_id, "name": kind.value, "to": "name@email.com", **claimed}
    if kind is NoticeKind.LETTER:
        return DueLetter(subject=fields["subject"], body=fields["body"], **claimed)
    return DueJobNotification(record=JobRecord.read(job_id, REQUIRED | fields), **claimed)
