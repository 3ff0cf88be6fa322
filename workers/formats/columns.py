"""Decides how the cells of a table's columns are to be read: numbers, dates or text, and in which notation.

A column is what all of its cells are. Where a column alone is ambiguous, such as `1,500` or `01/02/2026`, the other
columns decide, and then the delimiter. `csv_summary.py` describes the columns as they are read here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from workers.formats.dates import DAY_FIRST, MONTH_FIRST, YEAR_FIRST, DateOrder, is_american, orders_of
from workers.formats.numbers import COMMA, POINT_WITH_COMMAS, Notation, notations_of

Kind = Literal["integer", "number", "date", "text", "empty"]

_AMBIGUOUS: Final = {COMMA, POINT_WITH_COMMAS}
"""`1,500` is one and a half, or fifteen hundred."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of one column are read. `notation` is set for numbers, `order` for dates."""

    kind: Kind
    notation: Notation | None = None
    order: DateOrder | None = None


def readings_of(columns: Sequence[Sequence[str]], *, comma_is_free: bool) -> list[Reading]:
    """Return how each column of non-empty cells is read. `comma_is_free`: commas don't delimit the cells, so an
    ambiguous comma is a decimal one.
    """
    notations = [notations_of(cells) if cells else [] for cells in columns]
    orders = [[] if found else orders_of(cells) for cells, found in zip(columns, notations, strict=True)]
    decimal = _agreed({each.decimal for each in found} for found in notations)
    first = _agreed({each for each in found if each != YEAR_FIRST} for found in orders)
    return [
        _reading(cells, _preferred(found, decimal, comma_is_free=comma_is_free), _order(cells, among, first))
        for cells, found, among in zip(columns, notations, orders, strict=True)
    ]


def _reading(cells: Sequence[str], notation: Notation | None, order: DateOrder | None) -> Reading:
    if not cells:
        return Reading("empty")
    if notation:
        return Reading("integer" if all(map(notation.is_whole, cells)) else "number", notation=notation)
    return Reading("date", order=order) if order else Reading("text")


def _preferred(found: Sequence[Notation], decimal: str | None, *, comma_is_free: bool) -> Notation | None:
    """Choose among the notations that fit: the one that other columns use, or else the usual one."""
    if not found:
        return None
    wanted = decimal
    if wanted is None and set(found) >= _AMBIGUOUS:
        wanted = "comma" if comma_is_free else "point"
    return next((each for each in found if each.decimal == wanted), found[0])


def _order(cells: Sequence[str], found: Sequence[DateOrder], first: str | None) -> DateOrder | None:
    """Choose among the orders that fit: the one that other columns use, or else Europe's."""
    if len(found) < 2:
        return found[0] if found else None
    if first is None and MONTH_FIRST in found and is_american(cells):
        return MONTH_FIRST
    return next((each for each in found if each == (first or DAY_FIRST)), found[0])


def _agreed(possible: Iterable[set[str]]) -> str | None:
    """Return what the columns that can only be read in one way have in common; None if they disagree, or there are
    none.
    """
    certain = Counter(next(iter(each)) for each in possible if len(each) == 1)
    return next(iter(certain)) if len(certain) == 1 else None
