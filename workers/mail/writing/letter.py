"""Lays a mail out: fills the templates of its kind with its words.

A job comes from `words.py`. Next: `mime.py`, which writes the letter as bytes.
"""

from dataclasses import dataclass
from email.headerregistry import Address

from workers.mail.writing.attachments import Attachment
from workers.mail.writing.template_set import TemplateSet
from workers.mail.writing.words import MailWords


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person, as people read it. `message_id` and `in_reply_to` include their angle brackets.

    `unsubscribe` is the link to the page that ends all mails to this person.
    """

    mail_from: Address
    to: str
    subject: str
    text: str
    html: str | None
    message_id: str
    in_reply_to: str | None = None
    unsubscribe: str | None = None
    attachments: tuple[Attachment, ...] = ()


def lay_out(words: MailWords, templates: TemplateSet) -> Letter:
    """Make the letter that has these words."""
    rendered = templates.render(words.kind, words.variables)
    return Letter(
        mail_from=words.mail_from,
        to=words.to,
        subject=rendered.subject or "(no subject)",
        text=rendered.text,
        html=rendered.html,
        message_id=words.message_id,
        in_reply_to=words.in_reply_to,
        unsubscribe=words.variables["unsubscribe"],
        attachments=words.attachments,
    )
