"""Reads dates as ISO 8601, Excel, pandas and people in Europe and America write them.

Next: `columns.py`, which decides for a whole column in which order day and month are written.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, Literal

DateOrder = Literal["year-month-day", "day-month-year", "month-day-year"]

YEAR_FIRST: Final = "year-month-day"
DAY_FIRST: Final = "day-month-year"
MONTH_FIRST: Final = "month-day-year"

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_ZONE: Final = r"(?P<utc>Z|UTC)|(?P<sign>[+-])(?P<ahead>[0-9]{2}):?(?P<minutes>[0-9]{2})"
_TIME: Final = (
    r"(?:(?:[T ]|, ?)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    rf"(?: ?(?P<half>[ap])\.?m\.?)?(?: ?(?:{_ZONE}))?)?"
)
_YEAR, _SHORT_YEAR = r"(?P<year>[0-9]{4})", r"(?P<year>[0-9]{4}|[0-9]{2})"
_DAY, _NUMBER = r"(?P<day>[0-9]{1,2})", r"(?P<month>[0-9]{1,2})"


def _pattern(date: str) -> re.Pattern[str]:
    return re.compile(date + _TIME, re.IGNORECASE | re.ASCII)


_PATTERNS: Final[dict[DateOrder, tuple[re.Pattern[str], ...]]] = {
    YEAR_FIRST: (
        _pattern(rf"{_YEAR}-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})"),
        _pattern(rf"{_YEAR}/{_NUMBER}/{_DAY}"),
        _pattern(rf"{_YEAR}\. ?{_NUMBER}\. ?{_DAY}\.?"),
        _pattern(rf"{_YEAR}-{_MONTH}-{_DAY}"),
    ),
    DAY_FIRST: (
        _pattern(rf"{_DAY}\. ?{_NUMBER}\. ?{_SHORT_YEAR}"),
        _pattern(rf"{_DAY}/{_NUMBER}/{_SHORT_YEAR}"),
        _pattern(rf"{_DAY}-{_NUMBER}-{_SHORT_YEAR}"),
        _pattern(rf"{_DAY}\.?[ -]{_MONTH}[ -]{_SHORT_YEAR}"),
    ),
    MONTH_FIRST: (
        _pattern(rf"{_NUMBER}/{_DAY}/{_SHORT_YEAR}"),
        _pattern(rf"{_NUMBER}-{_DAY}-{_SHORT_YEAR}"),
        _pattern(rf"{_MONTH} {_DAY},? {_YEAR}"),
    ),
}
_PIVOT: Final = 69
"""Years of two digits from here on are of the 20th century, as POSIX and Python's `%y` have it."""


def orders_of(cells: Sequence[str]) -> list[DateOrder]:
    """Return the orders in which all of these cells are dates."""
    return [order for order in _PATTERNS if all(_moment(cell, order) is not None for cell in cells)]


def is_date(cell: str) -> bool:
    """Return whether a cell is a date in any order."""
    return bool(orders_of([cell]))


def is_american(cells: Sequence[str]) -> bool:
    """Return whether any of these dates has a time with AM or PM, as Excel writes them in the United States."""
    return any(re.search(r"[ap]\.?m\.?$", cell, re.IGNORECASE) for cell in cells)


def moment_of(cell: str, order: DateOrder) -> datetime:
    """Parse a date for comparison; without a time zone it counts as UTC. Raises ValueError if it is none."""
    moment = _moment(cell, order)
    if moment is None:
        raise ValueError(f"{cell[:80]!r} is not a date.")
    return moment


def _moment(cell: str, order: DateOrder) -> datetime | None:
    for pattern in _PATTERNS[order]:
        if found := pattern.fullmatch(cell):
            try:
                return _datetime(found.groupdict())
            except (ValueError, OverflowError):  # the thirtieth of February
                return None
    return None


def _datetime(part: dict[str, str | None]) -> datetime:
    name = part.get("name")
    month = _MONTHS.index(name[:3].lower()) + 1 if name else int(part["month"] or 0)
    hour = int(part["hour"] or 0)
    if half := part["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{hour} o'clock has no {half}m")
        hour = hour % 12 + (12 if half in "pP" else 0)
    microsecond = int((part["fraction"] or "0").ljust(6, "0")[:6])
    minute, second = int(part["minute"] or 0), int(part["second"] or 0)
    day = int(part["day"] or 0)
    return datetime(_year(part["year"] or ""), month, day, hour, minute, second, microsecond, tzinfo=_zone(part))


def _year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= _PIVOT else 2000)


def _zone(part: dict[str, str | None]) -> timezone:
    if part["sign"] is None:
        return UTC
    ahead = timedelta(hours=int(part["ahead"] or 0), minutes=int(part["minutes"] or 0))
    return timezone(ahead if part["sign"] == "+" else -ahead)
