"""Opens a mail of the folder: what a list says of it, and what is in it.

Stands between `folder.py` and `views.py`. Next: `mime.py`, which takes it apart, and `frames.py`, which makes its HTML
fit to be shown.
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
"""Characters of a file's name, and of an ending that stays when the name is cut."""


@dataclass(frozen=True, slots=True)
class MailSummary:
    """What a list says of a mail."""

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
        """Give what is told of it."""
        return {"number": self.number, "name": self.name, "media_type": self.media_type, "size": self.size}


class OpenedMail:
    """A mail with everything in it."""

    def __init__(self, kept: StoredMail) -> None:
        """Read it; raise MailUnknown when it is gone."""
        self.kept = kept
        self.source = kept.read()
        self.headers = headers_of(self.source)
        self.parts = parts_of(self.source)
        self.html = self._first("text/html")
        self.text = self._first("text/plain")

    @cached_property
    def files(self) -> list[ParsedPart]:
        """All parts but the text and the HTML that are read as the mail itself."""
        return [part for part in self.parts if part is not self.html and part is not self.text]

    @property
    def attachments(self) -> list[MailAttachment]:
        """The files that may be kept, numbered from 1."""
        return [
            MailAttachment(number, file_name(part, number), part.media_type, len(part.content()), part)
            for number, part in enumerate(self._kept_files, 1)
        ]

    def attachment(self, number: int) -> MailAttachment:
        """Give one file; raise MailUnknown when there is none of this number."""
        if not 1 <= number <= len(self._kept_files):
            raise MailUnknown("The mail has no such attachment.")
        return self.attachments[number - 1]

    def summary(self) -> MailSummary:
        """Give what a list says of it."""
        kept, headers = self.kept, self.headers
        return MailSummary(
            id=kept.id,
            sender=decoded_header(headers.get("from", "")),
            to=decoded_header(headers.get("to") or headers.get("delivered-to", "")),
            subject=decoded_header(headers.get("subject", "")),
            arrived_at=moment(kept.arrived_ns // 1_000_000),
            size=kept.size,
            attachments=len(self._kept_files),
        )

    def as_json(self) -> dict[str, Any]:
        """Give all that is told of it beside its bodies."""
        told = {name: decoded_header(self.headers[name]) for name in SHOWN_HEADERS if name in self.headers}
        return asdict(self.summary()) | {
            "headers": told,
            "html": self.html is not None,
            "text": self.text is not None,
            "attachments": [attachment.as_json() for attachment in self.attachments],
        }

    @property
    def _kept_files(self) -> list[ParsedPart]:
        """The files but for those that are only there to be shown in the HTML, and have no name."""
        return [part for part in self.files if self.html is None or part.is_file or part.name or not part.content_id]

    def _first(self, media_type: str) -> ParsedPart | None:
        return next((part for part in self.parts if part.media_type == media_type and not part.is_file), None)


@lru_cache(maxsize=10_000)
def summary_of(kept: StoredMail) -> MailSummary:
    """Give what a list says of a mail, read once for each file; raise MailUnknown when it is gone."""
    return OpenedMail(kept).summary()


def file_name(part: ParsedPart, number: int) -> str:
    """Give the name under which a file may be kept: no path, no hidden file, nothing that turns the writing around."""
    name = printable(re.split(r"[/\\]", part.name)[-1]).strip(" .")
    name = re.sub(r'[<>:"|?*]', "_", name)
    if not name:
        return f"attachment-{number}{mimetypes.guess_extension(part.media_type) or '.bin'}"
    ending = PurePath(name).suffix
    if len(ending) > LONGEST_ENDING:
        return name[:LONGEST_NAME]
    return name.removesuffix(ending)[: LONGEST_NAME - len(ending)] + ending
