"""Writes the parts of a mail down (RFC 2045 to 2047): ASCII bytes with CRLF, whatever is in them.

Stands at step 6 of a job's life, under `mime.py`. The stdlib's `email` reads each header that it is given and writes
what it understood: `=?utf-8?q?hello=0D=0ABcc=3A...?=` was a subject and a Bcc (CVE-2024-6923, in Python before 3.11.10
and 3.12.5), long ids and links became encoded words, and most of the time that a mail took went into it.
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
LONGEST_LINE: Final = 990
"""Bytes of a line that travels as it is; SMTP allows 998."""
LONGEST_WORD: Final = 60
"""Characters of a word that stands in a header as it is, where it can be cut."""

_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~ -]+")
_BREAKS: Final = str.maketrans("", "", "\t\n")
# one line, or several of which each goes on where the former ended
_SOUND: Final = re.compile(r"[\x20-\x7e]*(?:\r\n [\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*)*")


@dataclass(frozen=True, slots=True)
class MimePart:
    """A part of a mail, or all of it: what its headers say, and its bytes."""

    headers: Headers
    body: bytes


def text(content: str, subtype: str) -> MimePart:
    """Make a part that is read. Its lines end as they should; raise ValueError for lone surrogates."""
    lines = content.encode().splitlines()
    # never 8bit: not every server on the way takes it
    plain = (
        content.isascii()
        and content.translate(_BREAKS).isprintable()
        and max(map(len, lines), default=0) <= LONGEST_LINE
    )
    body = b"\n".join([*lines, b""])
    encoding = "7bit" if plain else "quoted-printable"
    kind = ("Content-Type", f'text/{subtype}; charset="utf-8"')
    written = (body if plain else b2a_qp(body)).replace(b"\n", CRLF)
    return MimePart((kind, ("Content-Transfer-Encoding", encoding)), written)


def file(content: bytes, media_type: str, *headers: tuple[str, str]) -> MimePart:
    """Make a part that is bytes."""
    kind = ("Content-Type", media_type)
    return MimePart(
        (kind, ("Content-Transfer-Encoding", "base64"), *headers), encodebytes(content).replace(b"\n", CRLF)
    )


def several(kind: str, *parts: MimePart) -> MimePart:
    """Put parts together as one: `mixed`, `alternative` or `related`. A single one stays what it is."""
    if len(parts) == 1:
        return parts[0]
    boundary = f"=_{secrets.token_hex(16)}"  # nobody can have written it before, and no encoding makes it
    between = f"--{boundary}\r\n".encode()
    body = (
        b"".join(each for part in parts for each in (between, whole((), part), CRLF)) + f"--{boundary}--\r\n".encode()
    )
    return MimePart((("Content-Type", f'multipart/{kind}; boundary="{boundary}"'),), body)


def whole(headers: Headers, part: MimePart) -> bytes:
    """Write a part below `headers` and its own; raise ValueError where one of them would be more than a header."""
    lines = [_header(name, value) for name, value in (*headers, *part.headers)]
    return "".join([*lines, "\r\n"]).encode("ascii") + part.body


def in_words(name: str, content: str) -> str:
    """Fold the words of header `name`; what could be taken for more than letters goes into encoded words."""
    if set(content) & {"\r", "\n"}:
        raise ValueError(f"{name} has more than one line")
    longest = max(map(len, content.split()), default=0)
    plain = content.isascii() and content.isprintable() and "=?" not in content and longest <= LONGEST_WORD
    header = Header(content, "us-ascii" if plain else "utf-8", header_name=name, maxlinelen=76)
    return header.encode(linesep="\r\n")


def named(name: str) -> str:
    """Write the name of a person: as it is, in quotes, or in encoded words."""
    if _ATOMS.fullmatch(name):
        return name
    return quoted(name) if name.isascii() and "=?" not in name else in_words("From", name)


def quoted(content: str) -> str:
    """Write a name as a header's parameter."""
    return '"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _header(name: str, value: str) -> str:
    if not _SOUND.fullmatch(value):
        raise ValueError(f"{name} is no plain header: {value[:80]!r}")
    return f"{name}: {value}\r\n"
