"""Writes times for people, in the time zone of a job: `1 December 2026, 14:05 CET (Europe/Berlin)`.

Used for mails (`workers/mail/writing/template_set.py`) and for the page of a job (`api/pages/view_model.py`).
"""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def time_in(seconds: int, timezone: str | None) -> datetime:
    """Return a time (seconds since 1970) in this time zone; in UTC if there is none, or if this machine lacks it."""
    if timezone is None:
        return datetime.fromtimestamp(seconds, UTC)
    try:
        return datetime.fromtimestamp(seconds, ZoneInfo(timezone))
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OverflowError,
        OSError,
    ):  # the API that accepted the job knows more time zones
        return datetime.fromtimestamp(seconds, UTC)


def in_words(time: datetime, *, seconds: bool = False) -> str:
    """Write a time for people, with its zone; a zone without letters of its own is written by its offset from UTC."""
    clock = f"{time.hour:02}:{time.minute:02}" + (f":{time.second:02}" if seconds else "")
    return f"{time.day} {MONTHS[time.month - 1]} {time.year}, {clock} {_zone(time)}"


def _zone(time: datetime) -> str:
    name = time.tzname() or "UTC"
    if not name[0].isalpha():
        name = f"UTC{time.isoformat()[-6:]}"
    key = getattr(time.tzinfo, "key", "UTC")
    return name if key in (name, "Etc/UTC") else f"{name} ({key})"
