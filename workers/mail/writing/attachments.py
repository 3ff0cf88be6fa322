"""Attachments: a result as a CSV table, as JSON or as a picture.

Used by `kind_words.py`. A file that is too large is left out: the link in the mail leads to it.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from errand.presenting.result_shape import Image, Shape, Table
from errand.presenting.table_csv import csv_of

CSV: Final = "text/csv"
JSON: Final = "application/json"
TEXT: Final = "text/plain"


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


def attachment_of(shape: Shape, document: str, name: str, most: int, *, whole: bool) -> Attachment | None:
    """Return the file of a result, or None if it would have more than `most` bytes. Its `name` gets an extension.

    `document` is the result as JSON: the file of a text or a tree, unless the mail shows it `whole`.
    """
    match shape:
        case Image(media_type, content):
            file = Attachment(f"{name}.{shape.extension}", media_type, content, inline=True)
        case Table():
            table = csv_of(shape, most)
            return None if table is None else Attachment(f"{name}.csv", CSV, table)
        case _ if whole or len(document) > most:
            return None
        case _:
            file = Attachment(f"{name}.json", JSON, document.encode("utf-8", "replace"))
    return file if len(file.content) <= most else None
