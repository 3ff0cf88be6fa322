"""Writes the headers of a mail (RFC 5322), with encoded words (RFC 2047) for text that isn't ASCII.

Used by `mime.py`. The standard library's `email` parses each header it is given and writes what it understood, so
`=?utf-8?q?hello=0D=0ABcc=3A...?=` became a subject and a Bcc (CVE-2024-6923, in Python before 3.11.10 and 3.12.5). It
also made encoded words of long ids and links, and took most of the time that a mail costs.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime
from typing import Final

from workers.mail.writing.letter import Letter

Headers = tuple[tuple[str, str], ...]

MAX_WORD: Final = 60
"""Maximum characters of a plain word in a header that can be folded."""

_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~ -]+")


def headers_of(letter: Letter) -> Iterator[tuple[str, str]]:
    """Return the names and values of the headers; raise ValueError if the subject has a line break."""
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
    yield "X-Auto-Response-Suppress", "OOF, AutoReply"  # the same for Exchange, which doesn't know RFC 3834
    yield "MIME-Version", "1.0"


def _from(author: Address) -> str:
    address = f"<{author.addr_spec}>"
    return f"{display_name(author.display_name)} {address}" if author.display_name else address


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
