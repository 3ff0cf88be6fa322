"""The rows of a result that a mail shows: the first rows of a table, or the members of a small object.

Used by `result_words.py`. The HTML part shows them as a table, and `text_layout.py` lays them out for the text part.
"""

from dataclasses import dataclass
from typing import Final

from errand.presenting import safe_text
from errand.presenting.result_shape import Fields, Table, is_number
from workers.mail.writing.text_layout import table_as_text

MAX_ROWS: Final = 50
"""Maximum rows of a table that is shown whole."""
ROWS_IN_PART: Final = 20
"""Rows shown of a longer table."""
MAX_COLUMNS: Final = 20
MAX_CELL: Final = 200
"""Maximum characters of a cell."""
MAX_CHARACTERS: Final = 10_000
"""Maximum characters of all cells together. Some mail programs cut mails off at 100 KB."""


@dataclass(frozen=True, slots=True)
class ResultRows:
    """Some or all of a result's `size` rows. `columns` is empty where each row is a name and its value.

    `numeric` says which columns contain only numbers, `whole` whether every row, column and cell is complete. `text` is
    the layout of the first `in_text` rows for the text part.
    """

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    numeric: tuple[bool, ...]
    size: int
    whole: bool
    text: str
    in_text: int


def rows_of(table: Table) -> ResultRows:
    """Return the first rows of a table."""
    columns = tuple(_cell(name) for name in table.columns[:MAX_COLUMNS])
    rows: list[tuple[str, ...]] = []
    characters = 0
    for row in table.rows[: MAX_ROWS if len(table.rows) <= MAX_ROWS else ROWS_IN_PART]:
        cells = tuple(_cell(cell) for cell in row[:MAX_COLUMNS])
        characters += sum(map(len, cells))
        if rows and characters > MAX_CHARACTERS:
            break
        rows.append(cells)
    whole = columns == table.columns and rows == table.rows
    return _rows(columns, rows, len(table.rows), whole=whole)


def rows_of_fields(fields: Fields) -> ResultRows:
    """Return all members of a small object."""
    return _rows((), list(fields.members), len(fields.members), whole=True)


def _rows(columns: tuple[str, ...], rows: list[tuple[str, ...]], size: int, *, whole: bool) -> ResultRows:
    numeric = tuple(all(is_number(cell) for cell in cells if cell) for cells in zip(*rows, strict=True))
    text, in_text = table_as_text(columns or ("",) * len(numeric), rows, numeric)
    return ResultRows(columns, rows, numeric, size, whole, text, in_text)


def _cell(text: str) -> str:
    return safe_text.one_line(text, MAX_CELL)
