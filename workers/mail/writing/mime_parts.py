"""Writes the parts of a mail (RFC 2045 to 2047) as ASCII bytes with CRLF, whatever they contain.

Used by `mime.py`. The standard library's `email` parses each header it is given and writes what it understood, so
`=?utf-8?q?hello=0D=0ABcc=3A...?=` became a subject and a Bcc (CVE-2024-6923, in Python before 3.11.10 and 3.12.5). It
also made encoded words of long ids and links, and took most of the time that a mail costs.
"""

import re
import secrets
from base64 import encodebytes
from binascii import b2a_qp
from dataclasses import dataclass
from email.header import Header
from typing import Final

Headers = tuple[tuple[str, str], ...]

CRLF: Final = b"\r\n"
MAX_LINE: Final = 990
"""Maximum bytes of a line that is sent as it is; SMTP allows 998."""
MAX_WORD: Final = 60
"""Maximum characters of a plain word in a header that can be folded."""

_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~ -]+")
_BREAKS: Final = str.maketrans("", "", "\t\n")
# one line, or a line and its continuations
_SOUND: Final = re.compile(r"[\x20-\x7e]*(?:\r\n [\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*)*")


@dataclass(frozen=True, slots=True)
class MimePart:
    """A part of a mail, or all of it: its headers and its bytes."""

    headers: Headers
    body: bytes


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


def folded(name: str, content: str) -> str:
    """Fold the text of header `name`; text that isn't plain ASCII words goes into encoded words."""
    if set(content) & {"\r", "\n"}:
        raise ValueError(f"{name} has more than one line")
    longest = max(map(len, content.split()), default=0)
    plain = content.isascii() and content.isprintable() and "=?" not in content and longest <= MAX_WORD
    header = Header(content, "us-ascii" if plain else "utf-8", header_name=name, maxlinelen=76)
    return header.encode(linesep="\r\n")


def display_name(name: str) -> str:
    """Write a person's name for a header: as it is, in quotes, or in encoded words."""
    if _ATOMS.fullmatch(name):
        return name
    return quoted(name) if name.isascii() and "=?" not in name else folded("From", name)


def quoted(content: str) -> str:
    """Write a text as a quoted string."""
    return '"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _header(name: str, value: str) -> str:
    if not _SOUND.fullmatch(value):
        raise ValueError(f"{name} is no plain header: {value[:80]!r}")
    return f"{name}: {value}\r\n"
