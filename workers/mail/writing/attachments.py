"""Attachments: a result as a CSV table, as JSON or as a picture.

Used by `kind_words.py`. A file that is too large is left out: the link in the mail leads to it.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from errand.presenting.result_shape import Image, Shape, Table, Text
from errand.presenting.table_csv import csv_of

CSV: Final = "text/csv"
JSON: Final = "application/json"
MAX_SHOWN: Final = 10_000
"""Maximum characters of a text that a mail shows whole; all of a longer one is attached or behind the link."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that is attached to a mail. Its name is ASCII. An `inline` one is a picture that the HTML shows."""

    name: str
    media_type: str
    content: bytes
    inline: bool = False

    @property
    def cid(self) -> str:
        """The Content-ID by which the HTML refers to it: `cid:…`."""
        return f"{sha256(self.content).hexdigest()[:32]}@errand"


def attachment_of(shape: Shape, name: str, most: int) -> Attachment | None:
    """Return the file of a result, or None if it would have more than `most` bytes. Its `name` gets an extension.

    Fields have no file, and neither has a text that the mail shows whole.
    """
    match shape:
        case Image(media_type, content):
            file = Attachment(f"{name}.{shape.extension}", media_type, content, inline=True)
        case Table():
            file = Attachment(f"{name}.csv", CSV, csv_of(shape))
        case Text(content, document) if len(content) > MAX_SHOWN and len(document) <= most:
            file = Attachment(f"{name}.json", JSON, document.encode("utf-8", "replace"))
        case _:
            return None
    return file if len(file.content) <= most else None
