"""Opens a mail of the folder: its summary for the list, its text, its HTML and its attachments.

`mime.py` parses the mail; `frames.py` prepares its HTML for the browser.
"""

import mimetypes
import re
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import PurePath
from typing import Any, Final

from api.mailbox.folder import StoredMail
from api.mailbox.mime import ParsedPart, decoded_header, headers_of, parts_of, printable
from errand.errors import MailUnknown
from errand.presenting.report import moment

SHOWN_HEADERS: Final = ("from", "to", "cc", "reply-to", "date", "message-id", "in-reply-to", "list-unsubscribe")
LONGEST_NAME: Final = 80
LONGEST_ENDING: Final = 16
"""Maximum characters of a file's name, and of an extension that is kept when the name is cut."""


@dataclass(frozen=True, slots=True)
class MailSummary:
    """A mail in a list."""

    id: str
    sender: str
    to: str
    subject: str
    arrived_at: str
    size: int
    """Bytes."""
    attachments: int


@dataclass(frozen=True, slots=True)
class MailAttachment:
    """A file in a mail."""

    number: int
    name: str
    media_type: str
    size: int
    """Bytes."""
    part: ParsedPart

    def as_json(self) -> dict[str, Any]:
        """Return the attachment without its content, as JSON data."""
        return {"number": self.number, "name": self.name, "media_type": self.media_type, "size": self.size}


class OpenedMail:
    """A mail with all its parts."""

    def __init__(self, stored: StoredMail) -> None:
        """Read and parse the mail. Raises MailUnknown if it is gone."""
        self.stored = stored
        self.source = stored.read()
        self.headers = headers_of(self.source)
        self.parts = parts_of(self.source)
        self.html = self._first("text/html")
        self.text = self._first("text/plain")

    @cached_property
    def files(self) -> list[ParsedPart]:
        """All parts except the text and the HTML that are the mail's body."""
        return [part for part in self.parts if part is not self.html and part is not self.text]

    @property
    def attachments(self) -> list[MailAttachment]:
        """The files offered for download, numbered from 1."""
        return [
            MailAttachment(number, file_name(part, number), part.media_type, len(part.content()), part)
            for number, part in enumerate(self._listed_files, 1)
        ]

    def attachment(self, number: int) -> MailAttachment:
        """Return one attachment by its number. Raises MailUnknown."""
        if not 1 <= number <= len(self._listed_files):
            raise MailUnknown("The mail has no such attachment.")
        return self.attachments[number - 1]

    def summary(self) -> MailSummary:
        """Return the mail's summary for a list."""
        stored, headers = self.stored, self.headers
        return MailSummary(
            id=stored.id,
            sender=decoded_header(headers.get("from", "")),
            to=decoded_header(headers.get("to") or headers.get("delivered-to", "")),
            subject=decoded_header(headers.get("subject", "")),
            arrived_at=moment(stored.arrived_ns // 1_000_000),
            size=stored.size,
            attachments=len(self._listed_files),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the mail without the content of its parts, as JSON data."""
        shown = {name: decoded_header(self.headers[name]) for name in SHOWN_HEADERS if name in self.headers}
        return asdict(self.summary()) | {
            "headers": shown,
            "html": self.html is not None,
            "text": self.text is not None,
            "attachments": [attachment.as_json() for attachment in self.attachments],
        }

    @property
    def _listed_files(self) -> list[ParsedPart]:
        """The files, except those without a name that the HTML shows as images."""
        return [part for part in self.files if self.html is None or part.is_file or part.name or not part.content_id]

    def _first(self, media_type: str) -> ParsedPart | None:
        return next((part for part in self.parts if part.media_type == media_type and not part.is_file), None)


@lru_cache(maxsize=10_000)
def summary_of(stored: StoredMail) -> MailSummary:
    """Return a mail's summary; each file is read only once. Raises MailUnknown if it is gone."""
    return OpenedMail(stored).summary()


def file_name(part: ParsedPart, number: int) -> str:
    """Return a safe file name: no path, no hidden file, no control characters, no marks that reverse the writing."""
    name = printable(re.split(r"[/\\]", part.name)[-1]).strip(" .")
    name = re.sub(r'[<>:"|?*]', "_", name)
    if not name:
        return f"attachment-{number}{mimetypes.guess_extension(part.media_type) or '.bin'}"
    ending = PurePath(name).suffix
    if len(ending) > LONGEST_ENDING:
        return name[:LONGEST_NAME]
    return name.removesuffix(ending)[: LONGEST_NAME - len(ending)] + ending
