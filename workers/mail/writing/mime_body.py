"""Writes the body of a mail (RFC 2045): a text part, an HTML part beside it, and attachments.

Used by `mime.py`. All of it is ASCII bytes with CRLF, whatever the parts contain.
"""

import re
import secrets
from base64 import encodebytes
from binascii import b2a_qp
from dataclasses import dataclass
from typing import Final

from workers.mail.writing.attachments import CSV, Attachment
from workers.mail.writing.letter import Letter
from workers.mail.writing.mime_headers import Headers, quoted

CRLF: Final = b"\r\n"
MAX_LINE: Final = 990
"""Maximum bytes of a line that is sent as it is; SMTP allows 998."""

_BREAKS: Final = str.maketrans("", "", "\t\n")
# one line, or a line and its continuations
_SOUND: Final = re.compile(r"[\x20-\x7e]*(?:\r\n [\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*)*")


@dataclass(frozen=True, slots=True)
class MimePart:
    """A part of a mail, or all of it: its headers and its bytes."""

    headers: Headers
    body: bytes


def body_of(letter: Letter) -> MimePart:
    """Make the body of a letter: its text, its HTML beside that, and its attachments."""
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


def text_part(content: str, subtype: str) -> MimePart:
    """Make a part that people read, with CRLF line ends; raise ValueError for lone surrogates."""
    lines = content.encode().splitlines()
    # never 8bit, as not every server on the way takes it
    plain = (
        content.isascii() and content.translate(_BREAKS).isprintable() and max(map(len, lines), default=0) <= MAX_LINE
    )
    body = b"\n".join([*lines, b""])
    encoding = "7bit" if plain else "quoted-printable"
    kind = ("Content-Type", f'text/{subtype}; charset="utf-8"')
    written = (body if plain else b2a_qp(body)).replace(b"\n", CRLF)
    return MimePart((kind, ("Content-Transfer-Encoding", encoding)), written)


def file_part(content: bytes, media_type: str, *headers: tuple[str, str]) -> MimePart:
    """Make a part of any bytes."""
    kind = ("Content-Type", media_type)
    return MimePart(
        (kind, ("Content-Transfer-Encoding", "base64"), *headers), encodebytes(content).replace(b"\n", CRLF)
    )


def multipart(subtype: str, *parts: MimePart) -> MimePart:
    """Join parts as `mixed`, `alternative` or `related`. A single part is returned as it is."""
    if len(parts) == 1:
        return parts[0]
    boundary = f"=_{secrets.token_hex(16)}"  # nobody can guess it, and no encoding produces it
    between = f"--{boundary}\r\n".encode()
    body = (
        b"".join(each for part in parts for each in (between, to_bytes((), part), CRLF))
        + f"--{boundary}--\r\n".encode()
    )
    return MimePart((("Content-Type", f'multipart/{subtype}; boundary="{boundary}"'),), body)


def to_bytes(headers: Headers, part: MimePart) -> bytes:
    """Write `headers`, then the part; raise ValueError if a header would break out of its line."""
    lines = [_header(name, value) for name, value in (*headers, *part.headers)]
    return "".join([*lines, "\r\n"]).encode("ascii") + part.body


def _header(name: str, value: str) -> str:
    if not _SOUND.fullmatch(value):
        raise ValueError(f"{name} is no plain header: {value[:80]!r}")
    return f"{name}: {value}\r\n"
