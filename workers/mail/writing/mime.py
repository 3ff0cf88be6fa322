"""Writes a letter as the bytes of one mail: a text part, an HTML part beside it, attachments, and headers.

A job comes from `letter.py`. Everything is built from the letter alone, so no part of it can be taken for the path of
a file or for an address to fetch. Next: `workers/mail/sending/mailer.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.utils import format_datetime

from errand.errors import MailRefused
from schemas.address import is_address
from workers.mail.writing.attachments import CSV, Attachment
from workers.mail.writing.letter import Letter
from workers.mail.writing.mime_parts import MimePart, file, in_words, named, quoted, several, text, whole


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One mail as a mail server takes it: the addresses of its envelope, and ASCII bytes with CRLF line ends."""

    mail_from: str
    to: str
    content: bytes


def write_mime(letter: Letter) -> OutgoingMail:
    """Write the mail; raise MailRefused for a letter that can't be written as one."""
    if not is_address(letter.to):
        raise MailRefused(f"{letter.to[:80]!r} is not one plain e-mail address")
    try:
        content = whole(tuple(_headers(letter)), _body(letter))
    except ValueError as error:  # a line break in a header, a lone surrogate in a text
        raise MailRefused(f"the letter can't be written as a mail: {error}") from None
    return OutgoingMail(letter.mail_from.addr_spec, letter.to, content)


def _headers(letter: Letter) -> Iterator[tuple[str, str]]:
    yield "From", _from(letter.mail_from)
    yield "To", letter.to
    yield "Subject", in_words("Subject", letter.subject)
    yield "Date", format_datetime(datetime.now(UTC))
    yield "Message-ID", letter.message_id
    if letter.in_reply_to:
        yield "In-Reply-To", letter.in_reply_to
        yield "References", letter.in_reply_to
    if letter.unsubscribe:
        yield "List-Unsubscribe", f"<{letter.unsubscribe}>"
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"  # mail programs have a button for it (RFC 8058)
    yield "Auto-Submitted", "auto-generated"  # so that nobody's holiday notice answers it (RFC 3834)
    yield "MIME-Version", "1.0"


def _from(author: Address) -> str:
    address = f"<{author.addr_spec}>"
    return f"{named(author.display_name)} {address}" if author.display_name else address


def _body(letter: Letter) -> MimePart:
    parts = [text(letter.text, "plain")]
    if letter.html is not None:
        shown = [_shown(each) for each in letter.attachments if each.inline]
        parts.append(several("related", text(letter.html, "html"), *shown))
    return several("mixed", several("alternative", *parts), *map(_attached, letter.attachments))


def _shown(picture: Attachment) -> MimePart:
    """Put a picture beside the HTML, which names it. Without a name of its own: programs would list it twice."""
    ways = ("Content-ID", f"<{picture.cid}>"), ("Content-Disposition", "inline")
    return file(picture.content, picture.media_type, *ways)


def _attached(attachment: Attachment) -> MimePart:
    kind = attachment.media_type
    if kind == CSV:
        kind += '; charset="utf-8"; header="present"'  # RFC 7111
    way = ("Content-Disposition", f"attachment; filename={quoted(attachment.name)}")
    return file(attachment.content, kind, way)
