"""Says what only mails of one kind say: the letter's text, the result and its attachment, or the error.

A job comes from `words.py`, which adds what every mail says. Next: `result_words.py`, for a result.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from errand.job_error import read_error
from errand.presenting import safe_text
from errand.presenting.explanation import message_for_people, reason_of
from errand.presenting.headline import headline
from errand.presenting.result_shape import Image, shape_of
from errand.presenting.room import cost_of
from errand.record import JobRecord
from errand.store import DueLetter, DueNotification
from schemas.notifications import NoticeKind
from workers.mail.writing.attachments import TEXT, Attachment, attachment_of
from workers.mail.writing.result_words import BUDGET, MAX_SHOWN, Variables, result_words
from workers.mail.writing.template_set import MAX_SUBJECT

MAX_MESSAGE: Final = 1_000
"""Maximum characters of an error's message in a mail."""
SHORT_ID: Final = 6
"""Characters of a job's id, its random end, by which the subjects of like jobs differ."""
BREAK: Final = len("<br>")


@dataclass(frozen=True, slots=True)
class KindWords:
    """The variables for mails of one kind, and the attachment.

    `shorter` gives those variables that change if what the mail shows may take only so many bytes of HTML.
    """

    variables: Variables
    attachment: Attachment | None = None
    shorter: Callable[[int], Variables] | None = None


def kind_words(notice: DueNotification, most: int) -> KindWords:
    """Return the words for mails of this kind; an attachment has at most `most` bytes."""
    if isinstance(notice, DueLetter):
        return _letter(notice, most)
    record = notice.record_at_end
    operation = safe_text.operation(record.operation, record.arguments or "")
    match notice.kind:
        case NoticeKind.FAILURE:
            words = _failure(record)
        case NoticeKind.CANCELLED:
            words = KindWords({"message": reason_of(record.error or "", MAX_MESSAGE)})
        case NoticeKind.RESULT:
            words = _result(record, most)
        case _:
            # the receipt says whether a mail follows if the job succeeds; without `notify`, every ending has its mail
            words = KindWords({"answers": not record.notify or "succeeded" in record.notify})
    result = record.result or "" if notice.kind is NoticeKind.RESULT else ""
    words.variables.update(
        operation=operation,
        headline=headline(record.operation, record.arguments or "", result),
        short_id=record.id[-SHORT_ID:],
    )
    return words


def _failure(record: JobRecord) -> KindWords:
    error = record.error or ""
    return KindWords(
        {
            "error": safe_text.one_line(read_error(error).type, safe_text.MAX_VALUE),
            "message": message_for_people(error, MAX_MESSAGE),
            "attempts": record.attempt if record.attempt > 1 else None,
        }
    )


def _result(record: JobRecord, most: int) -> KindWords:
    document = record.result or "null"
    shape = shape_of(document)
    words = result_words(shape)
    file = attachment_of(shape, document, safe_text.file_stem(record.operation), most, whole=words["whole"])
    if file:
        words["file"] = file.name
    if isinstance(shape, Image):
        words["picture"]["source"] = f"cid:{file.cid}" if file else None
        return KindWords(words | {"whole": file is not None}, file)
    kept = ("file",)  # what a shorter mail has attached doesn't change
    return KindWords(words, file, lambda room: {k: v for k, v in result_words(shape, room).items() if k not in kept})


def _letter(notice: DueLetter, most: int) -> KindWords:
    body = safe_text.clean(notice.body)
    words = _body(body, BUDGET)
    content = b"" if words["whole"] else body.encode()
    file = Attachment("letter.txt", TEXT, content) if 0 < len(content) <= most else None
    words |= {"subject": safe_text.one_line(notice.subject, MAX_SUBJECT), "body": body, "file": file and file.name}
    return KindWords(words, file, partial(_body, body))


def _body(body: str, room: int) -> Variables:
    """Return what the HTML part shows of a letter's text: all of it, or its beginning."""
    if len(body) <= room and cost_of(body) + BREAK * body.count("\n") <= room:
        return {"shown": body, "whole": True, "size": len(body)}
    return {"shown": body[: min(MAX_SHOWN, room // 6)], "whole": False, "size": len(body)}
