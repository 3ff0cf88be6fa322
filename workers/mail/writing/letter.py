"""What Errand writes to people: a letter for each kind of notification, as text and as HTML, with its files.

Stands at step 6 of a job's life, between the notice that `workers/mail/sender.py` claimed and the mail that
`workers/mail/sending/mailer.py` sends. `words.py` finds out what there is to say, `template_set.py` has the templates
that say it. Next: `workers/mail/writing/mime.py`.
"""

from dataclasses import dataclass
from email.utils import parseaddr
from typing import Final

from errand.errors import MailRefused
from errand.settings import Settings
from errand.store import DueNotification
from errand.trust.links import SignedLinks
from schemas.address import is_address
from schemas.notices import NoticeKind
from workers.mail.writing.attachments import Attachment
from workers.mail.writing.template_set import stationery
from workers.mail.writing.words import contents_of

_ANSWERS: Final = (NoticeKind.RESULT, NoticeKind.FAILURE, NoticeKind.CANCELLED)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person, ready to send. `message_id` and `in_reply_to` have their angle brackets.

    `unsubscribe` is the address of a page on which the person ends all mails from here.
    """

    to: str
    subject: str
    text: str
    html: str | None
    message_id: str
    in_reply_to: str | None = None
    unsubscribe: str | None = None
    attachments: tuple[Attachment, ...] = ()


def compose(notice: DueNotification, settings: Settings, links: SignedLinks, *, bare: bool = False) -> Letter:
    """Write the letter of a notice; raise MailRefused for a bad address.

    The same notice gives the same letter every time, so a mail that is sent twice can be told to be one. A `bare` one
    has no files: the server finds the mail too large with them, and what they hold is behind its link.
    """
    if not is_address(notice.to):
        raise MailRefused(f"{notice.to[:80]!r} is not one plain e-mail address")
    contents = contents_of(notice, settings, links, bare=bare)
    written = stationery(settings.mail_templates).write(notice.kind, contents.words)
    return Letter(
        to=notice.to,
        subject=written.subject or "(no subject)",
        text=written.text,
        html=written.html,
        message_id=_message_id(notice, settings),
        in_reply_to=_receipt_id(notice, settings) if notice.kind in _ANSWERS else None,
        unsubscribe=contents.words["unsubscribe"],
        attachments=contents.files,
    )


def _message_id(notice: DueNotification, settings: Settings) -> str:
    """Name a mail. A job that was run again by hand ends once more, and that mail is another one."""
    run = notice.record.get("retries", "") if notice.kind is not NoticeKind.RECEIPT else ""
    return f"<{notice.id}.{notice.name or notice.kind}{run}@{_domain(settings)}>"


def receipt_of(name: str) -> str:
    """Give the name of the receipt that the same person got, or would have got, as the notification of this name."""
    _, hyphen, number = name.partition("-")
    return f"{NoticeKind.RECEIPT}{hyphen}{number}"


def _receipt_id(notice: DueNotification, settings: Settings) -> str:
    """Name the receipt's mail: it makes one thread of a job's mails."""
    return f"<{notice.id}.{receipt_of(notice.name)}@{_domain(settings)}>"


def _domain(settings: Settings) -> str:
    return parseaddr(settings.mail_from)[1].rpartition("@")[2]
