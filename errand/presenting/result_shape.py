"""What a result looks like to people: a table, a picture, or neither. Tables are written down as CSV here, too.

Stands at step 6 of a job's life, under mails (`workers/mail/writing/letter.py`) and the page of a job
(`api/pages/job.py`). Nothing here raises on odd input: what has no shape is shown as text by `safe_text.py`. Next:
`schemas/pictures.py`.
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
"""Bytes of a result in which a table is looked for."""
MAX_CELLS: Final = 100_000
"""Cells of a table: rows of which each has other keys make one that is far larger than they are."""
MAX_FIELDS: Final = 30
MAX_FIELDS_BYTES: Final = 10_000
"""Members of an object that is shown as rows, and its bytes."""
MAX_ALT: Final = 1_000
"""Characters of the words that stand for a picture."""

# what makes a spreadsheet take a cell for a formula; some of them read past blanks, and take the wide forms too
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_EXTENSIONS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Table:
    """A result in rows. Cells are texts: numbers as they were written, `true`, `false`, and nothing for null."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Image:
    """A result to look at: the bytes of a file, and one line of words for those who don't see it."""

    media_type: str
    content: bytes
    alt: str

    @property
    def extension(self) -> str:
        """The end of its file's name."""
        return _EXTENSIONS[self.media_type]


def shape_of(document: str) -> Table | Image | None:
    """Tell what the JSON text of a result looks like."""
    return table_of(document) or image_of(document)


def table_of(document: str) -> Table | None:
    """Read a table: a list of flat objects has all their keys as columns, one of plain values the column `value`."""
    if not document.startswith("[") or len(document) > MAX_BYTES:
        return None
    try:
        # numbers as they are written: no digit is lost, and no length is too long
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
    """Read the members of a small object without lists and objects in it, as names and cells; None for all else."""
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
    """Read a picture: a result that is a `schemas.pictures.Picture`, by its shape and by its first bytes."""
    if not document.startswith("{") or '"media_type"' not in document:
        return None
    try:
        result = json.loads(document)
        # pydantic takes no lone surrogate, but a picture stays one whatever its words are
        alt = result.get("alt")
        words = {"alt": safe_text.one_line(alt, MAX_ALT)} if isinstance(alt, str) and len(alt) <= MAX_ALT else {}
        picture = Picture.model_validate(result | words)
    except (ValueError, RecursionError):
        return None
    return Image(picture.media_type, picture.content, safe_text.one_line(picture.alt, MAX_ALT))


def csv_of(table: Table) -> bytes:
    """Write a table down as RFC 4180 has it: commas, quotes where they are needed, CRLF; UTF-8."""
    file = StringIO(newline="")
    lines: list[Sequence[str]] = [table.columns, *table.rows]
    csv.writer(file, lineterminator="\r\n").writerows([_harmless(cell) for cell in line] for line in lines)
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", file.getvalue()).encode()


def file_name(operation: str, extension: str) -> str:
    """Name a file after the operation it comes from, in ASCII."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", safe_text.one_line(operation, safe_text.MAX_VALUE)).strip("_")
    return f"{name or 'result'}.{extension}"


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number."""
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
    """Mark a cell that a spreadsheet would run as a formula as the text that it is."""
    return f"'{cell}" if _FORMULA.match(cell) and not is_number(cell) else cell
