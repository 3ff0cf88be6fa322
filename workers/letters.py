"""What Errand writes to people: a letter for each kind of notification, as text and as HTML.

Stands at step 6 of a job's life, between the record that `mail.py` reads and the mail that `mailer.py` sends.
The words are in `templates/`; `wording.py` turns what a client wrote into something safe to show. Next: `mime.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errand.errors import MailRefused
from errand.settings import Settings
from schemas.address import is_address
from schemas.notices import NoticeKind
from workers import wording
from workers.attachments import Attachment, attachment

if TYPE_CHECKING:
    import jinja2

SUBJECTS = {
    NoticeKind.RECEIPT: "API Notification",
    NoticeKind.RESULT: "Your operation is complete!",
    NoticeKind.FAILURE: "An error occurred",
    NoticeKind.CANCELLED: "Your operation was cancelled",
}
"""Subjects of the mails about a job; a letter brings its own."""

MAX_SUBJECT = 200
"""Characters of a subject."""
MAX_SHOWN = 10_000
"""Characters of a result that a mail shows; the rest is behind its link."""
MAX_MESSAGE = 1_000
"""Characters of an error's message that a mail shows."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person, ready to send. `message_id` and `in_reply_to` have their angle brackets."""

    to: str
    subject: str
    text: str
    html: str | None
    message_id: str
    in_reply_to: str | None = None
    attachment: Attachment | None = None


def compose(kind: NoticeKind, record: Mapping[str, str], settings: Settings) -> Letter:
    """Write the letter of `kind` from a job's record, or a letter's own; raise MailRefused for a bad address.

    The same record gives the same Message-ID every time, so a mail that is sent twice can be told to be one.
    """
    to = record.get("to" if kind is NoticeKind.LETTER else "email", "")
    if not is_address(to):
        raise MailRefused(f"{to[:80]!r} is not one plain e-mail address")
    words = _WORDS[kind](record) | {"id": record["id"], "link": f"{settings.base_url}/jobs/{record['id']}"}
    words["subject"] = wording.one_line(words.get("subject", "") or SUBJECTS.get(kind, ""), MAX_SUBJECT)
    answers = kind in (NoticeKind.RESULT, NoticeKind.FAILURE, NoticeKind.CANCELLED)
    file = attachment(record) if kind is NoticeKind.RESULT else None
    words["file"] = file.name if file else None
    return Letter(
        to=to,
        subject=words["subject"] or "(no subject)",
        text=_templates().get_template(f"{kind.value}.txt").render(words),
        html=_templates().get_template(f"{kind.value}.html").render(words),
        message_id=_message_id(kind, record, settings),
        in_reply_to=_message_id(NoticeKind.RECEIPT, record, settings) if answers else None,
        attachment=file,
    )


def _message_id(kind: NoticeKind, record: Mapping[str, str], settings: Settings) -> str:
    """Name a mail. A job that was run again by hand ends once more, and that mail is another one."""
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2]
    run = record.get("retries", "") if kind is not NoticeKind.RECEIPT else ""
    return f"<{record['id']}.{kind.value}{run}@{domain}>"


def _receipt(record: Mapping[str, str]) -> dict[str, Any]:
    return {"operation": wording.operation(record)}


def _result(record: Mapping[str, str]) -> dict[str, Any]:
    shown, length = wording.result(record.get("result", "null"), MAX_SHOWN)
    return {
        "operation": wording.operation(record),
        "result": shown,
        "shown": f"{MAX_SHOWN:,}",
        "size": f"{length:,}" if length > MAX_SHOWN else None,
    }


def _failure(record: Mapping[str, str]) -> dict[str, Any]:
    error, message = wording.error(record.get("error", ""), MAX_MESSAGE)
    attempts = record.get("attempt", "1")
    return {
        "operation": wording.operation(record),
        "error": error,
        "message": message,
        "attempts": attempts if attempts.isdecimal() and int(attempts) > 1 else None,
    }


def _cancelled(record: Mapping[str, str]) -> dict[str, Any]:
    _, message = wording.error(record.get("error", ""), MAX_MESSAGE)
    return {"operation": wording.operation(record), "message": message}


def _letter(record: Mapping[str, str]) -> dict[str, Any]:
    return {"subject": record.get("subject", ""), "body": wording.clean(record.get("body", ""))}


_WORDS: dict[NoticeKind, Callable[[Mapping[str, str]], dict[str, Any]]] = {
    NoticeKind.RECEIPT: _receipt,
    NoticeKind.RESULT: _result,
    NoticeKind.FAILURE: _failure,
    NoticeKind.CANCELLED: _cancelled,
    NoticeKind.LETTER: _letter,
}


@cache
def _templates() -> "jinja2.Environment":
    import jinja2  # here: the workers that mail nobody do without it

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=jinja2.select_autoescape(["html"], default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters["wrapped"] = wording.wrapped
    return environment
