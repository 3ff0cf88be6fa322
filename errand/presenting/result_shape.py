"""Finds the shape in which people see a result: a table, a picture, or neither. It also writes tables as CSV.

Used for mails (`workers/mail/writing/result_words.py`) and for the page of a job (`api/pages/result.py`). Nothing here
raises on odd input: a result without a shape is shown as text (`safe_text.py`).
"""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
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

# how a cell begins that a spreadsheet runs as a formula; some spreadsheets skip blanks, or accept the wide forms too
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

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


def shape_of(document: str) -> Table | Image | None:
    """Return the table or the picture that a result (JSON text) is, or None."""
    return table_of(document) or image_of(document)


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


def fields_of(document: str) -> list[tuple[str, str]] | None:
    """Read the members of a small object of plain values, as names and cells; None for anything else."""
    if not document.startswith("{") or len(document) > MAX_FIELDS_BYTES:
        return None
    try:
        members = json.loads(document, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if not 0 < len(members) <= MAX_FIELDS or any(isinstance(value, dict | list) for value in members.values()):
        return None
    return [(name, cell_of(value)) for name, value in members.items()]


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


def csv_of(table: Table) -> bytes:
    """Write a table as CSV (RFC 4180): commas, quotes where needed, CRLF line ends, UTF-8."""
    file = StringIO(newline="")
    lines: list[Sequence[str]] = [table.columns, *table.rows]
    csv.writer(file, lineterminator="\r\n").writerows([_harmless(cell) for cell in line] for line in lines)
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", file.getvalue()).encode()


def file_name(operation: str, extension: str) -> str:
    """Name a file after its operation, in ASCII."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", safe_text.one_line(operation, safe_text.MAX_VALUE)).strip("_")
    return f"{name or 'result'}.{extension}"


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


def _harmless(cell: str) -> str:
    """Put a quote before a cell that a spreadsheet would run as a formula."""
    return f"'{cell}" if _FORMULA.match(cell) and not is_number(cell) else cell
