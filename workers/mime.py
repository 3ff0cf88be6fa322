"""Writes a letter down as the bytes of one mail: a text part, an HTML part beside it, a file, and plain headers.

Stands at step 6 of a job's life, between `letters.py` and `mailer.py`. Everything is built here from text alone, so
no part of a letter is ever taken for the path of a file or for an address to fetch.
"""

from datetime import UTC, datetime
from email.headerregistry import Address, HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP

from errand.errors import MailRefused
from schemas.address import is_address
from workers.letters import Letter

# the standard registry would fold a long id in these into encoded words, which no mail reader matches with its mail
_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("in-reply-to", MessageIDHeader)  # type: ignore[arg-type]  # a mixin, as it wants
_HEADERS.map_to_type("references", MessageIDHeader)  # type: ignore[arg-type]  # a mixin, as it wants
_POLICY = SMTP.clone(header_factory=_HEADERS)

_LONGEST_LINE = 990
"""Bytes of a line that travels as it is; SMTP allows 998."""


def as_mail(letter: Letter, sender: Address) -> bytes:
    """Give the mail as ASCII bytes with CRLF; raise MailRefused if the letter can't be written as a mail."""
    if not is_address(letter.to):
        raise MailRefused(f"{letter.to[:80]!r} is not one plain e-mail address")
    try:
        return _message(letter, sender).as_bytes()
    except ValueError as error:  # a line break in a header, a lone surrogate in a text
        raise MailRefused(f"the letter can't be written as a mail: {error}") from None


def _message(letter: Letter, sender: Address) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = letter.message_id
    if letter.in_reply_to:
        message["In-Reply-To"] = letter.in_reply_to
        message["References"] = letter.in_reply_to
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's holiday notice answers it (RFC 3834)
    message.set_content(letter.text, cte=_encoding(letter.text))
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html", cte=_encoding(letter.html))
    if file := letter.attachment:
        params = {"charset": "utf-8", "header": "present"}  # RFC 7111
        # as bytes: as a text, its line ends would be rewritten
        message.add_attachment(file.content, "text", file.subtype, "base64", filename=file.name, params=params)
    return message


def _encoding(text: str) -> str:
    # never 8bit: not every server on the way takes it
    plain = text.isascii() and text.replace("\n", "").replace("\t", "").isprintable()
    return "7bit" if plain and all(len(line) <= _LONGEST_LINE for line in text.split("\n")) else "quoted-printable"
