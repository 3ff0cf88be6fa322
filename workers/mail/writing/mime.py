"""Writes a letter as the bytes of one mail: a text part, an HTML part beside it, attachments, and headers.

A job comes from `letter.py`. Everything is built from the letter alone, so no part of it can be taken for the path of
a file or for an address to fetch. Next: `workers/mail/sending/mailer.py`.
"""

from dataclasses import dataclass

from errand.errors import MailRefused
from schemas.address import is_address
from workers.mail.writing.letter import Letter
from workers.mail.writing.mime_body import body_of, to_bytes
from workers.mail.writing.mime_headers import headers_of


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
        headers = tuple(headers_of(letter))
        body = body_of(letter)
        content = to_bytes(headers, body)
    except ValueError as error:  # a line break in a header, a lone surrogate in a text
        raise MailRefused(f"the letter can't be written as a mail: {error}") from None
    return OutgoingMail(letter.mail_from.addr_spec, letter.to, content)
