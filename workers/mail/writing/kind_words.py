"""Says what only mails of one kind say: the letter's text, the result and its attachment, or the error.

A job comes from `words.py`, which adds what every mail says. Next: `result_words.py`, for a result.
"""

from typing import Final

from errand.job_error import read_error
from errand.presenting import safe_text
from errand.presenting.explanation import message_for_people, reason_of
from errand.presenting.result_shape import shape_of
from errand.store import DueLetter, DueNotification
from schemas.notifications import NoticeKind
from workers.mail.writing.attachments import Attachment, attachment_of
from workers.mail.writing.result_words import Variables, result_words
from workers.mail.writing.rows import MAX_CELL
from workers.mail.writing.template_set import MAX_SUBJECT

MAX_MESSAGE: Final = 1_000
"""Maximum characters of an error's message in a mail."""


def kind_words(notice: DueNotification, most: int) -> tuple[Variables, Attachment | None]:
    """Return the variables for mails of this kind, and the attachment, which has at most `most` bytes."""
    if isinstance(notice, DueLetter):
        return {"subject": safe_text.one_line(notice.subject, MAX_SUBJECT), "body": safe_text.clean(notice.body)}, None
    record = notice.record_at_end
    words: Variables = {"operation": safe_text.operation(record.operation, record.arguments or "")}
    match notice.kind:
        case NoticeKind.FAILURE:
            error = record.error or ""
            attempts = record.attempt if record.attempt > 1 else None
            return words | {
                "error": safe_text.one_line(read_error(error).type, safe_text.MAX_VALUE),
                "message": message_for_people(error, MAX_MESSAGE),
                "attempts": attempts,
            }, None
        case NoticeKind.CANCELLED:
            return words | {"message": reason_of(record.error or "", MAX_MESSAGE)}, None
        case NoticeKind.RESULT:
            name = safe_text.file_stem(record.operation)
            shape = shape_of(record.result or "null", MAX_CELL)
            file = attachment_of(shape, name, most)
            return words | result_words(shape, file), file
        case _:
            # the receipt says whether a mail follows if the job succeeds; without `notify`, every ending has its mail
            return words | {"answers": not record.notify or "succeeded" in record.notify}, None
