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
from workers.mail.writing.mime_parts import (
    MimePart,
    display_name,
    file_part,
    folded,
    multipart,
    quoted,
    text_part,
    to_bytes,
)


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
        content = to_bytes(tuple(_headers(letter)), _body(letter))
    except ValueError as error:  # a line break in a header, a lone surrogate in a text
        raise MailRefused(f"the letter can't be written as a mail: {error}") from None
    return OutgoingMail(letter.mail_from.addr_spec, letter.to, content)


def _headers(letter: Letter) -> Iterator[tuple[str, str]]:
    yield "From", _from(letter.mail_from)
    yield "To", letter.to
    yield "Subject", folded("Subject", letter.subject)
    yield "Date", format_datetime(datetime.now(UTC))
    yield "Message-ID", letter.message_id
    if letter.in_reply_to:
        yield "In-Reply-To", letter.in_reply_to
        yield "References", letter.in_reply_to
    if letter.unsubscribe:
        yield "List-Unsubscribe", f"<{letter.unsubscribe}>"
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"  # mail programs show a button (RFC 8058)
    yield "Auto-Submitted", "auto-generated"  # so that no holiday notice replies (RFC 3834)
    yield "MIME-Version", "1.0"


def _from(author: Address) -> str:
    address = f"<{author.addr_spec}>"
    return f"{display_name(author.display_name)} {address}" if author.display_name else address


def _body(letter: Letter) -> MimePart:
    forms = [text_part(letter.text, "plain")]
    if letter.html is not None:
        pictures = [_inline(each) for each in letter.attachments if each.inline]
        forms.append(multipart("related", text_part(letter.html, "html"), *pictures))
    return multipart("mixed", multipart("alternative", *forms), *map(_attached, letter.attachments))


def _inline(picture: Attachment) -> MimePart:
    """Put a picture beside the HTML that shows it, without a file name: mail programs would list it twice."""
    headers = ("Content-ID", f"<{picture.cid}>"), ("Content-Disposition", "inline")
    return file_part(picture.content, picture.media_type, *headers)


def _attached(attachment: Attachment) -> MimePart:
    media_type = attachment.media_type
    if media_type == CSV:
        media_type += '; charset="utf-8"; header="present"'  # RFC 7111
    disposition = ("Content-Disposition", f"attachment; filename={quoted(attachment.name)}")
    return file_part(attachment.content, media_type, disposition)
