"""Reads CSV text that clients wrote.

`errand/presenting/table_csv.py` is the counterpart that writes CSV.
"""

import csv
from dataclasses import dataclass
from io import StringIO
from itertools import chain
from typing import Final

from errand.errors import PublicError
from workers.formats.delimiters import delimiter_of, without_prefix

MAX_COLUMNS: Final = 1_000

_END: Final = "\x1e end of the text \x1e"
_NO_DELIMITER: Final = "\uffff"
"""A character that Unicode keeps out of texts."""


class CsvRefused(PublicError, ValueError):
    """The text can't be read as CSV."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a CSV text that aren't empty, at least one. `delimiter` is None if each row is one cell."""

    rows: list[list[str]]
    delimiter: str | None


def rows_of(text: str, delimiter: str | None = None, *, header: bool = True) -> Rows:
    """Split a CSV text into rows; raise CsvRefused if there are none.

    A byte order mark is skipped, and line ends may be of any kind. Without `delimiter`, the one that the first line
    names (`sep=;`) is used, or else the one that fits the first rows best. Blanks after a delimiter are skipped.
    """
    text, named = without_prefix(text)
    delimiter = delimiter or named or delimiter_of(text, header=header)
    csv.field_size_limit(max(len(text) + len(_END), csv.field_size_limit()))  # one cell may be the whole text
    # an unclosed quote would silently swallow everything after it, so it also swallows the mark at the end
    lines = chain(StringIO(text, newline=""), ["\n", _END])
    read = csv.reader(lines, delimiter=delimiter or _NO_DELIMITER, skipinitialspace=delimiter != " ")
    rows = list(read)
    if rows.pop() != [_END]:
        raise CsvRefused(
            f"Row {len(rows) + 1} has an unclosed quote; close it, or double it if it belongs to the text."
        )
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise CsvRefused("The text has no rows.")
    return Rows(rows, delimiter)
