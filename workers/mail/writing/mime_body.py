"""Writes the body of a mail (RFC 2045): a text part, an HTML part beside it, and attachments.

Used by `mime.py`. All of it is ASCII bytes with CRLF, whatever the parts contain.
"""

import re
import secrets
from base64 import encodebytes
from binascii import b2a_qp
from dataclasses import dataclass
from typing import Final

from workers.mail.writing.attachments import CSV, TEXT, Attachment
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
    """Make the body of a letter: its text, its HTML beside that, the pictures of both, and other files."""
    forms = [text_part(letter.text, "plain")]
    if letter.html is None:
        return multipart("mixed", *forms, *map(_attached, letter.attachments))
    forms.append(text_part(letter.html, "html"))
    pictures = [_inline(each) for each in letter.attachments if each.inline]
    files = [_attached(each) for each in letter.attachments if not each.inline]
    return multipart("mixed", multipart("related", multipart("alternative", *forms), *pictures), *files)


def _inline(picture: Attachment) -> MimePart:
    """Make the one part of a picture: the HTML shows it, and mail programs offer it as a file of this name."""
    disposition = ("Content-Disposition", f"inline; filename={quoted(picture.name)}")
    return file_part(picture.content, picture.media_type, ("Content-ID", f"<{picture.cid}>"), disposition)


def _attached(attachment: Attachment) -> MimePart:
    media_type = attachment.media_type
    if media_type == CSV:
        media_type += '; charset="utf-8"; header="present"'  # RFC 7111
    elif media_type == TEXT:
        media_type += '; charset="utf-8"'
    disposition = ("Content-Disposition", f"attachment; filename={quoted(attachment.name)}")
    return file_part(attachment.content, media_type, disposition)


def text_part(content: str, subtype: str) -> MimePart:
    """Make a part that people read, with CRLF line ends; raise ValueError for lone surrogates.

    Of quoted-printable and base64, the shorter is taken: quoted-printable makes three bytes of each that isn't ASCII.
    """
    lines = content.encode().splitlines()
    # never 8bit, as not every server on the way takes it
    plain = (
        content.isascii() and content.translate(_BREAKS).isprintable() and max(map(len, lines), default=0) <= MAX_LINE
    )
    body = b"\n".join([*lines, b""])
    encoding, written = "7bit", body.replace(b"\n", CRLF)
    if not plain:
        encoding, written = min(_encoded(body), key=lambda each: len(each[1]))
    kind = ("Content-Type", f'text/{subtype}; charset="utf-8"')
    return MimePart((kind, ("Content-Transfer-Encoding", encoding)), written)


def _encoded(body: bytes) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    """Write a text in both encodings for bytes that no server may see."""
    in_base64 = encodebytes(body.replace(b"\n", CRLF))
    return ("quoted-printable", b2a_qp(body).replace(b"\n", CRLF)), ("base64", in_base64.replace(b"\n", CRLF))


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
    root = '; type="multipart/alternative"' if subtype == "related" else ""  # RFC 2387 asks for its first part's type
    return MimePart((("Content-Type", f'multipart/{subtype}; boundary="{boundary}"{root}'),), body)


def to_bytes(headers: Headers, part: MimePart) -> bytes:
    """Write `headers`, then the part; raise ValueError if a header would break out of its line."""
    lines = [_header(name, value) for name, value in (*headers, *part.headers)]
    return "".join([*lines, "\r\n"]).encode("ascii") + part.body


def _header(name: str, value: str) -> str:
    if not _SOUND.fullmatch(value):
        raise ValueError(f"{name} is no plain header: {value[:80]!r}")
    return f"{name}: {value}\r\n"
