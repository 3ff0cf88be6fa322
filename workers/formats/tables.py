"""Reads CSV text that clients wrote, and detects the types of its cells.

`errand/presenting/table_csv.py` is the counterpart that writes CSV.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from itertools import chain, islice
from typing import Final, Literal

DELIMITERS: Final = (",", ";", "\t", "|")
MAX_COLUMNS: Final = 1_000

Kind = Literal["integer", "number", "date", "text", "empty"]
Value = int | float | str

_SAMPLE_CHARACTERS: Final = 65_536
_SAMPLE_ROWS: Final = 100
_END: Final = "\x1e end of the text \x1e"

# no plus and no leading zero: a telephone number or a postcode is not a quantity
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,299})")
_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]{0,299})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_MAX_MAGNITUDE: Final = 1e300
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def rows_of(text: str, delimiter: str | None = None) -> list[list[str]]:
    """Return the rows of a CSV text that aren't empty; raise ValueError with a sentence if there are none.

    A byte order mark is skipped, and line ends may be of any kind. Without `delimiter`, the one of `DELIMITERS` that
    splits the first rows most evenly is used.
    """
    text = text.removeprefix("\ufeff")
    csv.field_size_limit(max(len(text) + len(_END), csv.field_size_limit()))  # one cell may be the whole text
    # an unclosed quote would silently swallow everything after it, so it also swallows the mark at the end
    read = csv.reader(chain(StringIO(text, newline=""), ["\n", _END]), delimiter=delimiter or delimiter_of(text))
    rows = list(read)
    if rows.pop() != [_END]:
        raise ValueError(
            f"Row {len(rows) + 1} has an unclosed quote; close it, or double it if it belongs to the text."
        )
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise ValueError("The text has no rows.")
    return rows


def delimiter_of(text: str) -> str:
    """Detect the delimiter of a CSV text; a comma if there is no evidence."""
    return max(DELIMITERS, key=lambda delimiter: _evenness(text[:_SAMPLE_CHARACTERS], delimiter))


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    """Return the share of rows with the most common number of cells, and that number; (0, 0) for single cells."""
    rows = islice(csv.reader(StringIO(sample, newline=""), delimiter=delimiter), _SAMPLE_ROWS)
    widths = Counter(len(row) for row in rows if row)
    [(width, times)] = widths.most_common(1) or [(1, 0)]
    return (times / widths.total(), width) if width > 1 else (0.0, 0)


def kind_of(cells: Sequence[str]) -> Kind:
    """Return the type of all these non-empty cells."""
    if not cells:
        return "empty"
    if all(map(_INTEGER.fullmatch, cells)):
        return "integer"
    if all(map(_is_number, cells)):
        return "number"
    return "date" if all(map(_is_date, cells)) else "text"


def number_of(cell: str) -> int | float:
    """Parse a cell of an `integer` or `number` column."""
    return int(cell) if _INTEGER.fullmatch(cell) else float(cell)


def moment_of(cell: str) -> datetime:
    """Parse a cell of a `date` column for comparison; without a time zone it counts as UTC."""
    moment = datetime.fromisoformat(cell)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell)) and abs(float(cell)) <= _MAX_MAGNITUDE


def _is_date(cell: str) -> bool:
    if not _DATE.fullmatch(cell):
        return False
    try:
        moment_of(cell)
    except ValueError:  # the thirtieth of February
        return False
    return True
