"""Words a mail: makes everything the mail says, once, from its notification.

A job comes from `workers/mail/delivery.py`. Only this step of a mail reads the job's record.
docs/mail.md lists the variables, because operators use them in templates of their own. Next: `letter.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Any, Final, Self

from errand.errors import MailRefused
from errand.presenting import safe_text
from errand.record import JobRecord
from errand.settings import Settings
from errand.store import DueJobNotification, DueLetter, DueNotification
from errand.trust.links import SignedLinks
from schemas.address import is_address
from schemas.notifications import NoticeKind
from workers.mail.writing.attachments import Attachment
from workers.mail.writing.mail_from import read_mail_from
from workers.mail.writing.message_ids import message_id, receipt_of
from workers.mail.writing.result_words import Variables, describe_result, without_file
from workers.mail.writing.template_set import MAX_SUBJECT

MAX_MESSAGE: Final = 1_000
"""Maximum characters of an error's message in a mail."""


@dataclass(frozen=True, slots=True)
class MailWords:
    """Everything that one mail says: the variables of its templates, its attachments, and the values of its headers.

    `message_id` and `in_reply_to` include their angle brackets.
    """

    kind: NoticeKind
    mail_from: Address
    to: str
    message_id: str
    in_reply_to: str | None
    variables: Mapping[str, Any]
    attachments: tuple[Attachment, ...] = ()

    def without_attachments(self) -> Self:
        """Return the words of the same mail for a server that finds the mail with its attachments too large."""
        if not self.attachments:
            return self
        return replace(self, variables=without_file(self.variables), attachments=())


def write_words(notice: DueNotification, settings: Settings, links: SignedLinks) -> MailWords:
    """Make the words of a notification's mail; raise MailRefused if its address is not valid.

    The same notification always gets the same words, so that two copies of one mail are recognisable as such.
    """
    if not is_address(notice.to):
        raise MailRefused(f"{notice.to[:80]!r} is not one plain e-mail address")
    mail_from = read_mail_from(settings.mail_from)
    variables, attachment = _variables(notice, settings, links)
    own_id, receipt_id = _thread(notice, mail_from.domain)
    return MailWords(
        kind=notice.kind,
        mail_from=mail_from,
        to=notice.to,
        message_id=own_id,
        in_reply_to=receipt_id,
        variables=variables | {"to": notice.to, "unsubscribe": links.unsubscribe(notice.to)},
        attachments=(attachment,) if attachment else (),
    )


def _variables(notice: DueNotification, settings: Settings, links: SignedLinks) -> tuple[Variables, Attachment | None]:
    """Return what the mail says about its job, or the letter itself, and the attachment if there is one."""
    if isinstance(notice, DueLetter):
        return _letter(notice), None
    about_kind, attachment = _of_kind(notice.kind, notice.record, settings)
    return _job(notice, settings, links) | about_kind, attachment


def _job(notice: DueJobNotification, settings: Settings, links: SignedLinks) -> Variables:
    """Return what every mail about a job says: its id, what was asked for, and the link, which works for a time."""
    expires = notice.since // 1000 + settings.link_ttl
    kept = None if notice.kind is NoticeKind.RECEIPT else notice.record.expires_at
    until = expires if kept is None else min(expires, kept // 1000)
    return {
        "id": notice.id,
        "operation": safe_text.operation(notice.record.operation, notice.record.arguments or ""),
        "link": links.job(notice.id, expires),
        "until": datetime.fromtimestamp(until, UTC),
    }


def _of_kind(kind: NoticeKind, record: JobRecord, settings: Settings) -> tuple[Variables, Attachment | None]:
    """Return what only mails of this kind say, and the attachment if there is one."""
    match kind:
        case NoticeKind.RESULT:
            return describe_result(record.operation, record.result or "null", settings.mail_attachment_bytes)
        case NoticeKind.FAILURE:
            return _failure(record), None
        case NoticeKind.CANCELLED:
            return _cancelled(record), None
        case _:
            return _receipt(record), None


def _receipt(record: JobRecord) -> Variables:
    """Say whether a mail follows if the job succeeds. A job without `notify` has mails for all occasions."""
    return {"answers": not record.notify or "succeeded" in record.notify}


def _failure(record: JobRecord) -> Variables:
    error, message = safe_text.error(record.error or "", MAX_MESSAGE)
    return {"error": error, "message": message, "attempts": record.attempt if record.attempt > 1 else None}


def _cancelled(record: JobRecord) -> Variables:
    _, message = safe_text.error(record.error or "", MAX_MESSAGE)
    return {"message": message}


def _letter(letter: DueLetter) -> Variables:
    return {"subject": safe_text.one_line(letter.subject, MAX_SUBJECT), "body": safe_text.clean(letter.body)}


def _thread(notice: DueNotification, domain: str) -> tuple[str, str | None]:
    """Return the Message-ID of the mail, and that of the receipt which a mail about the end of a job replies to."""
    name = notice.name or notice.kind
    if isinstance(notice, DueLetter) or notice.kind is NoticeKind.RECEIPT:
        return message_id(notice.id, name, domain), None
    own_id = message_id(notice.id, name, domain, retries=notice.record.retries)
    return own_id, message_id(notice.id, receipt_of(notice.name), domain)
