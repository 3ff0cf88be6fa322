"""What a letter has to say: the words that its templates are given, and the files that go with it.

Stands at step 6 of a job's life, under `letter.py`. docs/mail.md lists the words, as operators write templates with
them. Next: `template_set.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from errand.presenting import safe_text
from errand.presenting.json_layout import indented
from errand.presenting.result_shape import Image, Table, shape_of
from errand.settings import Settings
from errand.store import DueNotification
from errand.trust.links import SignedLinks
from schemas.notices import NoticeKind
from workers.mail.writing.attachments import Attachment, json_file, picture_file, table_file
from workers.mail.writing.rows import ResultRows, rows_of, rows_of_fields
from workers.mail.writing.template_set import MAX_SUBJECT

MAX_SHOWN: Final = 10_000
"""Characters of a result that a mail shows whole; all of a longer one is in its file, or behind its link."""
MAX_PART: Final = 2_000
"""Characters that are shown of what is longer still."""
MAX_LINE: Final = 60
"""Characters of JSON that stands on one line."""
MAX_MESSAGE: Final = 1_000
"""Characters of an error's message that a mail shows."""

Words = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LetterWords:
    """What there is to say, and what goes with it."""

    words: Words
    files: tuple[Attachment, ...] = ()


def contents_of(notice: DueNotification, settings: Settings, links: SignedLinks, *, bare: bool = False) -> LetterWords:
    """Find out what the letter of a notice has to say; without files where it is to be `bare`."""
    words: Words = {"to": notice.to, "unsubscribe": links.unsubscribe(notice.to)}
    if notice.kind is NoticeKind.LETTER:
        return LetterWords(words | _letter(notice.record))
    words |= {"id": notice.id, "operation": safe_text.operation(notice.record), **_way(notice, settings, links)}
    if notice.kind is not NoticeKind.RESULT:
        return LetterWords(words | _TOLD[notice.kind](notice.record))
    found = _result(notice.record, 0 if bare else settings.mail_attachment_bytes)
    return LetterWords(words | found.words, found.files)


def _way(notice: DueNotification, settings: Settings, links: SignedLinks) -> Words:
    """Give the link to the job, and until when there is something behind it."""
    expires = notice.since // 1000 + settings.link_ttl
    kept = notice.record.get("expires_at", "") if notice.kind is not NoticeKind.RECEIPT else ""
    until = min(expires, int(kept) // 1000) if kept.isdecimal() else expires
    return {"link": links.job(notice.id, expires), "until": datetime.fromtimestamp(until, UTC)}


def _letter(record: Mapping[str, str]) -> Words:
    subject = safe_text.one_line(record.get("subject", ""), MAX_SUBJECT)
    return {"subject": subject, "body": safe_text.clean(record.get("body", ""))}


def _receipt(record: Mapping[str, str]) -> Words:
    told = record.get("notify")
    return {"answers": told is None or "succeeded" in told.split()}


def _failure(record: Mapping[str, str]) -> Words:
    error, message = safe_text.error(record.get("error", ""), MAX_MESSAGE)
    attempts = record.get("attempt", "1")
    several = attempts.isdecimal() and int(attempts) > 1
    return {"error": error, "message": message, "attempts": int(attempts) if several else None}


def _cancelled(record: Mapping[str, str]) -> Words:
    return {"message": safe_text.error(record.get("error", ""), MAX_MESSAGE)[1]}


_TOLD: Final[dict[NoticeKind, Callable[[Mapping[str, str]], Words]]] = {
    NoticeKind.RECEIPT: _receipt,
    NoticeKind.FAILURE: _failure,
    NoticeKind.CANCELLED: _cancelled,
}


def _result(record: Mapping[str, str], most: int) -> LetterWords:
    """Show a result as what it looks like; what else there is to it goes along as a file of at most `most` bytes."""
    operation, document = record.get("operation", ""), record.get("result", "null")
    match shape_of(document):
        case Image() as image:
            return _as_picture(image, picture_file(operation, image, most))
        case Table() as table:
            return _as_rows(rows_of(table), table_file(operation, table, most))
    if fields := rows_of_fields(document):
        return _as_rows(fields, None)
    return _as_text(operation, document, most)


def _as_picture(image: Image, file: Attachment | None) -> LetterWords:
    source = f"cid:{file.cid}" if file else None
    picture = {"source": source, "alt": image.alt or "(a picture without a description)"}
    return _shown(file, whole=file is not None, picture=picture)


def _as_rows(rows: ResultRows, file: Attachment | None) -> LetterWords:
    return _shown(file, whole=rows.whole, rows=rows, shown=len(rows.rows), size=rows.size)


def _as_text(operation: str, document: str, most: int) -> LetterWords:
    shown, size = safe_text.result(document, MAX_SHOWN)
    whole = size <= MAX_SHOWN
    shown = shown if whole else shown[:MAX_PART]
    file = None if whole else json_file(operation, document, most)
    words: Words = {"text": shown, "shown": len(shown), "size": size}
    if document.startswith(("{", "[")) and len(shown) > MAX_LINE:
        set_off = indented(shown)
        if len(set_off) <= 4 * MAX_SHOWN:  # brackets alone would make a mail that programs cut off
            words |= {"text": indented(shown, None), "indented": set_off}
    return _shown(file, whole=whole, **words)


def _shown(file: Attachment | None, *, whole: bool, **words: Any) -> LetterWords:
    """Name exactly one of `text`, `rows` and `picture`; the others are None."""
    nothing = {"text": None, "rows": None, "picture": None, "indented": None, "shown": None, "size": None}
    return LetterWords(nothing | words | {"whole": whole, "file": file.name if file else None}, (file,) if file else ())
