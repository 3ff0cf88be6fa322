"""Finds the shape in which people see a result: a table, a picture, fields or a text.

Used for mails (`workers/mail/writing/kind_words.py`) and for the page of a job (`api/pages/result.py`). Nothing here
raises on odd input: a result in no other shape is a text.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from errand.presenting import safe_text
from schemas.pictures import Picture

MAX_BYTES: Final = 2_097_152
"""Maximum bytes of a result that may be a table."""
MAX_CELLS: Final = 100_000
"""Maximum cells of a table: rows with different keys make a table far larger than the rows themselves."""
MAX_FIELDS: Final = 30
"""Maximum members of an object that is shown as rows."""
MAX_FIELDS_BYTES: Final = 10_000
"""Maximum bytes of such an object."""
MAX_ALT: Final = 1_000
"""Maximum characters of a picture's description."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

_EXTENSIONS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Table:
    """A result in rows. Each cell is text: a number as it was written, `true`, `false`, or nothing for null."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: the bytes of its file, and one line that describes it."""

    media_type: str
    content: bytes
    alt: str

    @property
    def extension(self) -> str:
        """The extension of its file's name."""
        return _EXTENSIONS[self.media_type]


@dataclass(frozen=True, slots=True)
class Fields:
    """A small object of plain values: the names of its members, and their values as cells."""

    members: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Text:
    """A result in no other shape: `content` is a text as itself, or anything else as the JSON `document`.

    Neither is cleaned: `content` has all that a client wrote.
    """

    content: str
    document: str


Shape = Table | Image | Fields | Text


def shape_of(document: str, max_cell: int) -> Shape:
    """Find the shape of a result (JSON text). An object is a text if a name or a value in it needs a larger cell."""
    return table_of(document) or image_of(document) or fields_of(document, max_cell) or text_of(document)


def table_of(document: str) -> Table | None:
    """Read a table: a list of flat objects, whose keys are the columns, or of plain values, in the column `value`."""
    if not document.startswith("[") or len(document) > MAX_BYTES:
        return None
    try:
        # numbers as text: no digit is lost, and none has too many digits for int()
        result = json.loads(document, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if len({isinstance(row, dict) for row in result}) != 1:
        return None
    objects = [row if isinstance(row, dict) else {"value": row} for row in result]
    columns = tuple(dict.fromkeys(key for each in objects for key in each))
    if not 0 < len(columns) * len(objects) <= MAX_CELLS:
        return None
    rows = [tuple(each.get(column) for column in columns) for each in objects]
    if any(isinstance(value, dict | list) for row in rows for value in row):
        return None
    return Table(columns, [tuple(cell_of(value) for value in row) for row in rows])


def fields_of(document: str, max_cell: int) -> Fields | None:
    """Read a small object of plain values that take one line of at most `max_cell` characters each, or return None."""
    if not document.startswith("{") or len(document) > MAX_FIELDS_BYTES:
        return None
    try:
        members = json.loads(document, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if not 0 < len(members) <= MAX_FIELDS or any(isinstance(value, dict | list) for value in members.values()):
        return None
    fields = [(name, cell_of(value)) for name, value in members.items()]
    if any(safe_text.one_line(part, max_cell) != part for member in fields for part in member):
        return None
    return Fields(fields)


def image_of(document: str) -> Image | None:
    """Read a picture: a result with the members and the first bytes of a `schemas.pictures.Picture`."""
    if not document.startswith("{") or '"media_type"' not in document:
        return None
    try:
        result = json.loads(document)
        # pydantic refuses lone surrogates, but the picture is a picture whatever its description has in it
        alt = result.get("alt")
        words = {"alt": safe_text.one_line(alt, MAX_ALT)} if isinstance(alt, str) and len(alt) <= MAX_ALT else {}
        picture = Picture.model_validate(result | words)
    except (ValueError, RecursionError):
        return None
    return Image(picture.media_type, picture.content, safe_text.one_line(picture.alt, MAX_ALT))


def text_of(document: str) -> Text:
    """Read a text; anything else, and JSON that can't be read, is shown as it is in the store."""
    content = document
    if document.startswith('"'):
        with suppress(ValueError):
            content = str(json.loads(document))
    return Text(content, document)


def is_number(cell: str) -> bool:
    """Return whether a cell is a number."""
    return _NUMBER.fullmatch(cell) is not None


def cell_of(value: Any) -> str:
    """Write a plain value as a cell."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
