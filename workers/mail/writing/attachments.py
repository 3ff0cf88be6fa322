"""Attachments: a result as a CSV table, as JSON or as a picture.

Used by `result_words.py`. A file that is too large is left out: the link in the mail leads to it.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from errand.presenting.result_shape import Image, Table, csv_of, file_name

CSV: Final = "text/csv"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that is attached to a mail. Its name is ASCII. An `inline` one is a picture that the HTML also shows."""

    name: str
    media_type: str
    content: bytes
    inline: bool = False

    @property
    def cid(self) -> str:
        """The Content-ID by which the HTML refers to it: `cid:…`."""
        return f"{sha256(self.content).hexdigest()[:32]}@errand"


def table_file(operation: str, table: Table, most: int) -> Attachment | None:
    """Return a table as CSV, or None if that takes more than `most` bytes."""
    return _unless_larger(most, Attachment(file_name(operation, "csv"), CSV, csv_of(table)))


def picture_file(operation: str, image: Image, most: int) -> Attachment | None:
    """Return a picture as a file, or None if it has more than `most` bytes."""
    name = file_name(operation, image.extension)
    return _unless_larger(most, Attachment(name, image.media_type, image.content, inline=True))


def json_file(operation: str, document: str, most: int) -> Attachment | None:
    """Return a result (JSON text) as it is in the store, or None if it has more than `most` bytes."""
    if len(document) > most:
        return None
    return _unless_larger(most, Attachment(file_name(operation, "json"), JSON, document.encode("utf-8", "replace")))


def _unless_larger(most: int, file: Attachment) -> Attachment | None:
    return file if len(file.content) <= most else None
