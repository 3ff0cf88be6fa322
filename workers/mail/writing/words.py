"""Words a mail: makes everything the mail says, once, from its notification.

A job comes from `workers/mail/delivery.py`. Only this step of a mail reads the job's record.
docs/mail.md lists the variables, because operators use them in templates of their own. Next: `letter.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.headerregistry import Address
from typing import Any, Self

from errand.errors import MailRefused
from errand.presenting.times import time_in
from errand.settings import Settings
from errand.store import DueLetter, DueNotification
from errand.trust.links import SignedLinks
from schemas.address import is_address
from schemas.notifications import NoticeKind
from workers.mail.writing.attachments import Attachment
from workers.mail.writing.kind_words import kind_words
from workers.mail.writing.mail_from import read_mail_from
from workers.mail.writing.message_ids import thread_of
from workers.mail.writing.result_words import Variables


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
    shorter: Callable[[int], Variables] | None = field(default=None, compare=False, repr=False)

    def without_attachments(self) -> Self:
        """Return the words of the same mail for a server that finds the mail with its attachments too large."""
        if not self.attachments:
            return self
        changed: Variables = {"file": None}
        if picture := self.variables.get("picture"):
            changed |= {"picture": picture | {"source": None}, "whole": False}
        return replace(self, variables={**self.variables, **changed}, attachments=())

    def within(self, room: int) -> Self:
        """Return the words of the same mail, in which what a client wrote takes so many bytes of HTML at most."""
        return replace(self, variables={**self.variables, **self.shorter(room)}) if self.shorter else self


def write_words(notice: DueNotification, settings: Settings, links: SignedLinks) -> MailWords:
    """Make the words of a notification's mail; raise MailRefused if its address is not valid.

    The same notification always gets the same words, so that two copies of one mail are recognisable as such.
    """
    linked = _linked(notice, settings, links)
    mail_from = read_mail_from(settings.mail_from)
    own_id, receipt_id = thread_of(notice, mail_from.domain)
    words = kind_words(notice, settings.mail_attachment_bytes)
    return MailWords(
        kind=notice.kind,
        mail_from=mail_from,
        to=notice.to,
        message_id=own_id,
        in_reply_to=receipt_id,
        variables=linked | words.variables,
        attachments=(words.attachment,) if words.attachment else (),
        shorter=words.shorter,
    )


def _linked(notice: DueNotification, settings: Settings, links: SignedLinks) -> Variables:
    """Return the address and its link, and for a mail about a job the job's link, which works for a time."""
    if not is_address(notice.to):
        raise MailRefused(f"{notice.to[:80]!r} is not one plain e-mail address")
    own: Variables = {"to": notice.to, "unsubscribe": links.unsubscribe(notice.to)}
    if isinstance(notice, DueLetter):
        return own
    expires = notice.since // 1000 + settings.link_ttl
    kept = None if notice.kind is NoticeKind.RECEIPT else notice.record.expires_at
    until = expires if kept is None else min(expires, kept // 1000)
    link = links.job(notice.id, expires)
    return own | {"id": notice.id, "link": link, "until": time_in(until, notice.record.timezone)}
