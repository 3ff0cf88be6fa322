"""Reads numbers as people write them: with a decimal point or comma, and with thousands separated.

Next: `columns.py`, which decides for a whole column how its numbers are written.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

Mark = Literal["point", "comma", "apostrophe", "space"]

MAX_DIGITS: Final = 300
_MAX_MAGNITUDE: Final = 1e300
_CHARACTERS: Final[dict[Mark, str]] = {"point": ".", "comma": ",", "apostrophe": "'", "space": " "}
# what typesetters write for a blank, an apostrophe and a minus
_PLAIN: Final = str.maketrans({"\xa0": " ", "\u2009": " ", "\u202f": " ", "\u2019": "'", "\u2212": "-"})
_DOTTED_QUAD: Final = re.compile(
    r"(?:[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])(?:\.(?:[01][0-9]{2}|2[0-4][0-9]|25[0-5])){3}"
)


@dataclass(frozen=True)
class Notation:
    """One way to write numbers. `thousands` is None where they are not separated."""

    decimal: Literal["point", "comma"]
    thousands: Mark | None = None

    @cached_property
    def whole(self) -> re.Pattern[str]:
        """Integers. No plus and no leading zero: a telephone number or a postcode is not a quantity."""
        return re.compile(rf"-?{self._digits}")

    @cached_property
    def any(self) -> re.Pattern[str]:
        """Integers and numbers with a decimal mark or an exponent."""
        mark = re.escape(_CHARACTERS[self.decimal])
        return re.compile(rf"-?(?:{self._digits}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?")

    @property
    def _digits(self) -> str:
        plain = rf"(?:0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})"
        if self.thousands is None:
            return plain
        mark = re.escape(_CHARACTERS[self.thousands])
        return rf"(?:[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}}){{1,{MAX_DIGITS // 3 - 1}}}|{plain})"

    def fits(self, cell: str) -> bool:
        """Return whether a cell is a number in this notation."""
        cell = _plain(cell)
        if self.whole.fullmatch(cell):
            return True
        return self.any.fullmatch(cell) is not None and abs(float(self._machine(cell))) <= _MAX_MAGNITUDE

    def is_whole(self, cell: str) -> bool:
        """Return whether a cell is an integer in this notation."""
        return self.whole.fullmatch(_plain(cell)) is not None

    def value(self, cell: str) -> int | float:
        """Parse a cell that is a number in this notation."""
        plain = _plain(cell)
        written = self._machine(plain)
        return int(written) if self.whole.fullmatch(plain) else float(written)

    def _machine(self, cell: str) -> str:
        if self.thousands is not None:
            cell = cell.replace(_CHARACTERS[self.thousands], "")
        return cell.replace(_CHARACTERS[self.decimal], ".")


POINT: Final = Notation("point")
POINT_WITH_COMMAS: Final = Notation("point", "comma")
COMMA_WITH_POINTS: Final = Notation("comma", "point")
COMMA: Final = Notation("comma")
NOTATIONS: Final = (
    POINT,
    COMMA,
    COMMA_WITH_POINTS,
    POINT_WITH_COMMAS,
    Notation("point", "apostrophe"),
    Notation("comma", "apostrophe"),
    Notation("point", "space"),
    Notation("comma", "space"),
)
"""All ways to write numbers, the plain ones first."""


def notations_of(cells: Sequence[str]) -> list[Notation]:
    """Return the notations in which all of these cells are numbers, without those whose marks no cell has."""
    written = set().union(*map(_plain, cells))
    found: list[Notation] = []
    for notation in NOTATIONS:
        if notation.thousands and _CHARACTERS[notation.thousands] not in written:
            continue
        if written.isdisjoint(".,") and notation.decimal == "comma" and found:
            found.append(notation)  # without a decimal mark, both readings are the same
        elif all(map(notation.fits, cells)) and not _are_ip_addresses(notation, cells):
            found.append(notation)
    return found


def is_number(cell: str) -> bool:
    """Return whether a cell is a number in any notation."""
    return any(notation.fits(cell) for notation in NOTATIONS)


def _plain(cell: str) -> str:
    return cell if cell.isascii() else cell.translate(_PLAIN)


def _are_ip_addresses(notation: Notation, cells: Sequence[str]) -> bool:
    return notation is COMMA_WITH_POINTS and all(map(_DOTTED_QUAD.fullmatch, cells))
