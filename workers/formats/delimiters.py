"""Finds the delimiter of a CSV text: named by the text itself, or detected in its first rows.

Next: `tables.py`, which splits the text at it.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from itertools import islice
from typing import Final

from workers.formats.dates import is_date
from workers.formats.numbers import is_number

DELIMITERS: Final = (",", ";", "\t", "|")

_SAMPLE_CHARACTERS: Final = 65_536
_SAMPLE_ROWS: Final = 100
# Excel's first line, which Excel itself quotes when it saves the file again
_NAMED: Final = re.compile(r'(?:"sep=([^"\w\r\n\0])"|sep=([^"\w\r\n\0]))[,;\t| ]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
_MISREAD_MARK: Final = "ï»¿"
"""The bytes of a byte order mark in UTF-8, read as windows-1252."""
_PROSE: Final = re.compile(r"(?:[^,]|,\s)*")
"""A text whose commas are all followed by a blank."""
_AMOUNT: Final = re.compile(
    r"(?:[A-Za-z]{1,4}\s|[^\w\s,;|]\s?){0,2}([0-9](?:[0-9.,'\u2019 \xa0\u202f]*[0-9])?)"
    r"(?:\s?[^\w\s,;|]{1,2}|\s?[^\W\d_]{1,4}(?:/[^\W\d_]{1,4})?|\s°[A-Z])?"
)
"""A number with a sign, a currency or another unit: `+1,50`, `1.234,50 €`, `EUR 1,50`, `2,5 %`, `(1,50)`."""
_HEADER_DISAGREES: Final = 0.5


def without_prefix(text: str) -> tuple[str, str | None]:
    """Return the text without its byte order mark and Excel's line `sep=;`, and the delimiter that this line names."""
    text = text.lstrip("\ufeff").removeprefix(_MISREAD_MARK)
    named = _NAMED.match(text)
    return (text[named.end() :], named[1] or named[2]) if named else (text, None)


def delimiter_of(text: str, *, header: bool) -> str | None:
    """Detect the delimiter of a CSV text; None if its rows have one cell each.

    The best delimiter splits the first rows evenly, and into cells that look whole: numbers, dates, or texts without
    another delimiter.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    split = {delimiter: _split(sample, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: _score(split[delimiter], header=header))
    if empty := [delimiter for delimiter in DELIMITERS if not split[delimiter]]:
        return empty[0]  # nothing but this delimiter and blanks
    if all(len(row) == 1 for row in split[best]):
        return None
    return None if best == "," and _is_one_column(split[","], _lines(sample), header=header) else best


def _split(sample: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows = list(islice((row for row in reader if any(map(str.strip, row))), _SAMPLE_ROWS))
    return rows[:-1] if len(rows) > 1 and len(sample) == _SAMPLE_CHARACTERS else rows  # the last may be cut


def _score(rows: Sequence[Sequence[str]], *, header: bool) -> tuple[float, int]:
    """Return how well a delimiter fits, from 0 to 1, and the number of cells in most rows."""
    widths = Counter(map(len, rows))
    [(width, times)] = widths.most_common(1) or [(1, 0)]
    if width == 1:
        return 0.0, len(rows[0]) if rows else 0
    cells = [cell.strip() for row in rows for cell in row]
    whole = sum(map(_is_whole, cells)) / len(cells)
    agreed = 1.0 if len(rows[0]) == width or not header else _HEADER_DISAGREES
    return round(times / widths.total() * whole * agreed, 6), width


def _is_whole(cell: str) -> bool:
    """Return whether a cell looks like one value, and not like several with another delimiter between them."""
    if not any(delimiter in cell for delimiter in DELIMITERS[1:]) and _PROSE.fullmatch(cell):
        return True
    return _is_amount(cell) or is_date(cell)


def _is_amount(cell: str) -> bool:
    """Return whether a cell is a number, with or without a unit."""
    found = _AMOUNT.fullmatch(cell)
    return is_number(cell) or (found is not None and is_number(found[1]))


def _lines(sample: str) -> list[str]:
    lines = [line.strip() for line in sample.splitlines() if line.strip()][:_SAMPLE_ROWS]
    return lines[:-1] if len(lines) > 1 and len(sample) == _SAMPLE_CHARACTERS else lines


def _is_one_column(rows: Sequence[Sequence[str]], lines: Sequence[str], *, header: bool) -> bool:
    """Return whether the commas of these rows belong to the values of one column: decimal commas, or a sentence's."""
    data = lines[1:] if header else lines
    if header and len(rows[0]) == 1:
        return all(_is_amount(line) or _is_sentence(line) for line in data)
    if header or not all(map(is_number, data)):
        return False
    # `12,50` may be two cells, but not where other rows have one
    return len({len(row) for row in rows}) > 1 or any(re.search(r"[. '’\xa0\u202f]|,0[0-9]", line) for line in lines)


def _is_sentence(line: str) -> bool:
    return '"' not in line and _PROSE.fullmatch(line) is not None
