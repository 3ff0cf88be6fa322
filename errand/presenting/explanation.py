"""Words for people why a job failed or was cancelled: its message if that was written for them, else a kind sentence.

Mails (`workers/mail/writing/kind_words.py`), the page of a job (`api/pages/view_model.py`) and reports
(`report.py`) use it, so that no customer reads `KeyError: 'amount'`.
"""

from typing import Final

from errand.job_error import LONGEST_MESSAGE, read_error
from errand.presenting.safe_text import one_line
from errand.record import JobRecord
from schemas.status import Status

LIMITS: Final = {
    "TimedOut": "It took longer than it may.",
    "MemoryExceeded": "It needed more memory than it may use.",
}
"""What people read of a limit that Errand enforces, by the type of the error."""

UNEXPECTED: Final = (
    "Something went wrong while we worked on it. You can submit it again. If it fails again, give the operator of this "
    "service the reference %s: the details are kept under it."
)


def message_for_people(document: str, most: int) -> str:
    """Return what people may read of an error (JSON), on one line; "" if its message was written for developers."""
    error = read_error(document)
    return one_line(error.message, most) if error.public else LIMITS.get(error.type, "")


def reason_of(document: str, most: int) -> str:
    """Return why a job was cancelled, on one line and without a full stop: Errand's own words, or ""."""
    return one_line(read_error(document).message, most).rstrip(".")


def explanation_of(record: JobRecord) -> str | None:
    """Return what people are told about the end of a job; None unless it failed or was cancelled."""
    if record.status is Status.FAILED:
        return message_for_people(record.error or "", LONGEST_MESSAGE) or UNEXPECTED % record.id
    if record.status is not Status.CANCELLED:
        return None
    reason = reason_of(record.error or "", LONGEST_MESSAGE)
    return f"It was cancelled: {reason}." if reason else "It was cancelled."
