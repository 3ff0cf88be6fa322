"""Parses any mail, however malformed, in linear time and without raising an error.

The standard library's parser takes minutes for some mails of a few megabytes (nested parts, a header of a million
semicolons). This one reads only what the mailbox shows, with a limit on everything.
"""

import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from itertools import islice
from typing import Final

MOST_PARTS: Final = 200
DEEPEST: Final = 8
"""Maximum number of parts of a mail, and of levels of nesting; anything beyond is shown unparsed."""
LONGEST_HEAD: Final = 65_536
LONGEST_HEADER: Final = 2_000
"""Maximum bytes read of a part's headers, and maximum characters of each header."""
SLOW_CHARSETS: Final = frozenset({"punycode", "idna"})
"""Codecs of Python that no mail uses and that take quadratic time."""

_END_OF_HEAD: Final = re.compile(rb"^\r?\n", re.MULTILINE)
_FOLD: Final = re.compile(r"\r?\n(?=[ \t])")
_ANY_END: Final = re.compile("\r\n?")
_JOINERS: Final = "\u200c\u200d"  # join letters and emoji
_DESCRIBING: Final = ("content-type", "content-disposition", "content-id")


@dataclass(frozen=True, slots=True)
class ParsedPart:
    """A part without parts of its own: headers by lower-case name, declared type and name, and encoded body."""

    headers: dict[str, str]
    media_type: str
    charset: str
    name: str
    """The declared file name, unchecked; empty if there is none."""
    is_file: bool
    """Whether the part is declared as an attachment."""
    content_id: str
    body: bytes

    def content(self) -> bytes:
        """Return the decoded bytes."""
        match self.headers.get("content-transfer-encoding", "").strip().lower():
            case "base64":
                return _from_base64(self.body)
            case "quoted-printable":
                return binascii.a2b_qp(self.body)
            case _:
                return self.body

    def text(self) -> str:
        """Return the content as text, with plain line feeds as line ends."""
        return _ANY_END.sub("\n", decoded_text(self.content(), self.charset)).removeprefix("\ufeff")


def parts_of(mail: bytes) -> list[ParsedPart]:
    """Return the parts of a mail in their order, at least one. `headers_of` returns the headers of the mail itself."""
    found: list[ParsedPart] = []
    waiting = [(0, len(mail), 0)]
    while waiting and len(found) < MOST_PARTS:
        start, end, depth = waiting.pop()
        headers, body = _split_head(mail, start, end)
        about = _content_headers(headers)
        inner = list(_part_ranges(mail, body, end, about)) if depth < DEEPEST else []
        if inner:
            waiting += [(first, last, depth + 1) for first, last in reversed(inner)]
        else:
            found.append(_part(headers, about, mail[body:end]))
    return found


def headers_of(mail: bytes) -> dict[str, str]:
    """Return the headers of a mail by lower-case name; of repeated headers, the first."""
    return _split_head(mail, 0, len(mail))[0]


def decoded_header(value: str) -> str:
    """Return a header as people read it: encoded words decoded, on one line, without unprintable characters."""
    try:
        words = decode_header(value[:LONGEST_HEADER])
    except (HeaderParseError, ValueError):
        return printable(value)
    # decode_header returns the text between encoded words as bytes in Latin-1
    return printable(
        "".join(word if isinstance(word, str) else decoded_text(word, cs or "latin-1") for word, cs in words)
    )


def printable(text: str) -> str:
    """Return a text on one line, without unprintable characters and marks that change the writing direction."""
    return " ".join("".join(sign if sign.isprintable() or sign in _JOINERS else " " for sign in text).split())


def decoded_text(content: bytes, charset: str) -> str:
    """Decode bytes, even if the character set is wrong or unknown."""
    try:
        if codecs.lookup(charset).name in SLOW_CHARSETS:
            charset = "utf-8"
        text = content.decode(charset, "replace")
    except (LookupError, ValueError):
        text = content.decode("utf-8", "replace")
    return text.encode("utf-8", "replace").decode()  # utf-7 can produce lone surrogates, which can't be encoded


def _split_head(mail: bytes, start: int, end: int) -> tuple[dict[str, str], int]:
    """Return the headers of the part between two offsets, and the offset of its body."""
    blank = _END_OF_HEAD.search(mail, start, end)
    head_end, body = (blank.start(), blank.end()) if blank else (end, end)
    head = mail[start : min(head_end, start + LONGEST_HEAD)]
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode("latin-1")  # decodes any byte
    headers: dict[str, str] = {}
    for line in _FOLD.sub("", text).split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip()[:LONGEST_HEADER])
    return headers, body


def _content_headers(headers: dict[str, str]) -> Message:
    """Return a Message with a part's content headers, which the standard library then parses."""
    about = Message()
    for name in _DESCRIBING:
        if name in headers:
            about[name] = headers[name]
    return about


def _part_ranges(mail: bytes, start: int, end: int, about: Message) -> Iterator[tuple[int, int]]:
    """Return the offsets (start, end) of the parts within a part."""
    boundary = _parameter(about, "boundary")
    if about.get_content_maintype() != "multipart" or not boundary:
        return
    line = re.compile(rb"^--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*\r?$", re.MULTILINE)
    begin: int | None = None
    for found in islice(line.finditer(mail, start, end), MOST_PARTS + 1):
        if begin is not None:
            yield begin, max(begin, _without_line_end(mail, found.start()))
        if found[1]:
            return
        begin = min(found.end() + 1, end)
    if begin is not None:
        yield begin, end  # the last part has no closing boundary


def _without_line_end(mail: bytes, end: int) -> int:
    """Return where a part ends: the line end before a boundary belongs to the boundary."""
    return end - (2 if mail[end - 2 : end] == b"\r\n" else 1)


def _part(headers: dict[str, str], about: Message, body: bytes) -> ParsedPart:
    media_type = about.get_content_type()
    if about.get_content_maintype() == "multipart":
        media_type = "text/plain"  # it has no parts, so its body is shown as it is
    return ParsedPart(
        headers,
        media_type,
        _parameter(about, "charset") or "utf-8",
        _parameter(about, "filename", "content-disposition") or _parameter(about, "name"),
        headers.get("content-disposition", "").lower().startswith("attachment"),
        headers.get("content-id", "").strip("<> "),
        body,
    )


def _parameter(about: Message, name: str, header: str = "content-type") -> str:
    """Return a parameter of a header; empty if it is missing or unreadable."""
    try:
        value = about.get_param(name, "", header)
        if isinstance(value, tuple):  # RFC 2231: character set, language, bytes
            return decoded_text(value[2].encode("latin-1", "replace"), value[0] or "utf-8")
        return decoded_header(value) if name in {"filename", "name"} else value
    except (LookupError, ValueError, TypeError):
        return ""


def _from_base64(body: bytes) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:  # truncated: decode the complete groups
        signs = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        return binascii.a2b_base64(signs[: len(signs) // 4 * 4])
