"""Lays a mail out: fills the templates of its kind with its words.

A job comes from `words.py`. Next: `mime.py`, which writes the letter as bytes.
"""

from dataclasses import dataclass
from email.headerregistry import Address
from typing import Final

from workers.mail.writing.attachments import Attachment
from workers.mail.writing.template_set import TemplateSet
from workers.mail.writing.words import MailWords

MAX_HTML: Final = 72_000
"""Maximum bytes of an HTML part. Gmail cuts mails off at 102 KB, and base64 makes 4 bytes of 3, with line ends."""
SHORTER: Final = (20_000, 8_000, 3_000, 1_000)
"""Bytes of HTML for the result of a mail that is too long; the estimate that gave it more was wrong."""


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
    """Make the letter that has these words; what its HTML part would be too long for is left out."""
    rendered = templates.render(words.kind, words.variables)
    for room in SHORTER:
        if _size(rendered.html) <= MAX_HTML:
            break
        rendered = templates.render(words.kind, words.within(room).variables)
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


def _size(html: str) -> int:
    """Return the bytes of an HTML part with its CRLF line ends."""
    return len(html.encode("utf-8", "replace")) + html.count("\n")
