"""Writes a job's result as a file beside its mail: a table, for those who open it in a spreadsheet.

Stands at step 6 of a job's life, under `letters.py`. Nothing here raises on odd input: a mail without its file beats
none, and the job itself has the result in any case.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

from workers import wording

MAX_BYTES: Final = 1_048_576
"""Bytes of a result that is still written as a file, and of the file."""
MAX_CELLS: Final = 100_000
"""Cells of it: rows of which each has other keys make a table that is far larger than they are."""

# what makes a spreadsheet take a cell for a formula; some of them read past blanks, and take the wide forms too
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter. Its name is ASCII, its content UTF-8 text."""

    name: str
    subtype: str
    content: bytes


def attachment(record: Mapping[str, str]) -> Attachment | None:
    """Give the file that the result mail of this job carries; None if its operation has none, or it can't be made.

    A list of flat objects becomes a table of all their keys, a list of plain values one with the column `value`.
    """
    document = record.get("result", "")
    if record.get("attachment") != "csv" or len(document) > MAX_BYTES:
        return None
    try:
        # numbers as they are written: no digit is lost, and no length is too long
        table = _table(json.loads(document, parse_int=str, parse_float=str, parse_constant=str))
    except (ValueError, RecursionError):
        return None
    content = _written(table) if table else b""
    if not 0 < len(content) <= MAX_BYTES:
        return None
    return Attachment(f"{_file_name(record.get('operation', ''))}.csv", "csv", content)


def _table(result: Any) -> list[Sequence[str]] | None:
    """Give a header and the rows below it; None for what is no table."""
    if not isinstance(result, list) or len({isinstance(row, dict) for row in result}) != 1:
        return None
    objects = [row if isinstance(row, dict) else {"value": row} for row in result]
    columns = list(dict.fromkeys(key for each in objects for key in each))
    if not 0 < len(columns) * len(objects) <= MAX_CELLS:
        return None
    rows = [[each.get(column) for column in columns] for each in objects]
    if any(isinstance(value, dict | list) for row in rows for value in row):
        return None
    return [columns, *([_cell(value) for value in row] for row in rows)]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _written(table: Iterable[Sequence[str]]) -> bytes:
    """Write a table down as RFC 4180 has it: commas, quotes where they are needed, CRLF."""
    file = StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows([_harmless(cell) for cell in row] for row in table)
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", file.getvalue()).encode()


def _harmless(cell: str) -> str:
    """Mark a cell that a spreadsheet would run as a formula as the text that it is."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _file_name(operation: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", wording.one_line(operation, wording.MAX_VALUE)).strip("_") or "result"
