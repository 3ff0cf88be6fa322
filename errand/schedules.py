"""Computes when a schedule is due: cron expressions in a time zone, as arithmetic on milliseconds.

`api/schedules/views.py` checks an expression here; `workers/rescuer/scheduler.py` asks for the tick that is due and for
those that follow. The only I/O is reading time zone files. Next: `zones.py`.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import dropwhile, islice
from typing import Final, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from errand.errors import ScheduleRefused
from errand.zones import timezone_fault
from schemas.schedules import CRON_PATTERN

UPCOMING: Final = 5
"""Number of future ticks that a schedule shows."""
FIELDS: Final = {
    "minute": "0-59",
    "hour": "0-23",
    "day-of-month": "1-31, L (the last day) or LW (the last weekday)",
    "month": "1-12 or JAN-DEC",
    "day-of-week": "0-7 or SUN-SAT (0 and 7 are Sunday), 5L (the last Friday) or FRI#2 (the second Friday)",
}
"""The fields of an expression, in order, with the values of each besides *, lists, ranges and steps."""
NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""Names that crontabs know, and what each stands for; a schedule shows its times, so it takes only the fields."""
UNWRITTEN: Final = "must be written with the letters A-Z, digits and * , / # -, and with spaces between its fields"
NEVER: Final = "is never due: no day in fifty years matches its day-of-month, month and day-of-week"

_WRITTEN: Final = re.compile(CRON_PATTERN.removeprefix("^").removesuffix("$"))


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """A cron expression in a time zone. Times are milliseconds since 1970 in UTC; a tick is a time when it is due."""

    cron: str
    timezone: str
    zone: ZoneInfo = field(repr=False, compare=False)

    @classmethod
    def parse(cls, cron: str, timezone: str) -> Self:
        """Parse both; raise ScheduleRefused with a sentence for each that is wrong."""
        faults = {"/cron": cron_fault(cron), "/timezone": timezone_fault(timezone)}
        errors = [{"pointer": pointer, "detail": detail} for pointer, detail in faults.items() if detail]
        if errors:
            places = " and ".join(error["pointer"] for error in errors)
            raise ScheduleRefused(f"Nothing was stored: correct {places}, then send it again.", errors=errors)
        return cls(" ".join(cron.split()), timezone, ZoneInfo(timezone))

    def after(self, ms: int) -> int | None:
        """Return the first tick after `ms`, or None if there is none within fifty years."""
        return next(self._ticks(ms), None)

    def upcoming(self, ms: int, count: int = UPCOMING) -> list[int]:
        """Return the next `count` ticks after `ms`, or fewer if there are no more."""
        return list(islice(self._ticks(ms), count))

    def latest(self, since: int, now: int) -> int:
        """Return the last tick up to `now`, or `since` if there is none in between, by binary search."""
        latest, beyond = since, now  # behind `beyond` there is no tick up to now
        while (tick := self.after(latest)) is not None and tick <= now:
            middle = (tick + beyond) // 2
            later = self.after(middle)
            if later is not None and later <= now:
                latest = later
            else:
                latest, beyond = tick, middle
        return latest

    def _ticks(self, ms: int) -> Iterator[int]:
        start = datetime.fromtimestamp(ms // 1000, self.zone)
        ticks = (int(tick.timestamp()) * 1000 for tick in _Ticks(self.cron, start))
        # In the hour that a clock change repeats, the library may start with past ticks of the first pass.
        return dropwhile(lambda tick: tick <= ms, ticks)


class _Ticks(CronSim):
    """The library's ticks, in hours that exist: it begins a day at midnight, and an hour at any minute, also where a
    clock change has skipped them.
    """

    def advance_month(self) -> None:
        super().advance_month()
        self.dt = _real(self.dt)

    def advance_day(self) -> bool:
        moved = super().advance_day()
        self.dt = _real(self.dt)
        return moved

    def advance_hour(self) -> bool:
        moved = super().advance_hour()
        begin = self.dt.replace(minute=0, second=0)
        if moved and _real(begin) == begin and _real(begin).hour == self.dt.hour:
            self.dt = begin  # after a change by half an hour, steps of an hour lead to the middle of one
        return moved


def _real(time: datetime) -> datetime:
    """Return the time that the clocks show at a time that they may skip; one without a zone stays as it is."""
    return time.astimezone(UTC).astimezone(time.tzinfo) if time.tzinfo else time


def local(ms: int, timezone: str) -> str:
    """Write a time in a time zone, as RFC 3339 with its offset from UTC."""
    return datetime.fromtimestamp(ms // 1000, ZoneInfo(timezone)).isoformat()


def cron_fault(cron: str) -> str | None:
    """Return a sentence that says what is wrong with an expression, or None if it is valid."""
    parts = cron.split()
    if len(parts) != len(FIELDS):
        if nickname := _nickname_hint(parts):
            return f"must have five fields ({' '.join(FIELDS)}){nickname}"
        seconds = "; seconds can't be given" if len(parts) == len(FIELDS) + 1 else ""
        return f"must have five fields ({' '.join(FIELDS)}) and has {len(parts)}{seconds}"
    try:
        next(CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC)))  # the zone doesn't matter for whether a tick exists
    except StopIteration:
        return NEVER
    except CronSimError as error:
        return _field_fault(str(error).removeprefix("Bad "), parts)
    return None if _WRITTEN.fullmatch(cron) else UNWRITTEN


def _nickname_hint(parts: list[str]) -> str:
    """Say which five fields a nickname of cron stands for."""
    if len(parts) != 1 or not parts[0].startswith("@"):
        return ""
    name = parts[0].lower()
    if name in NICKNAMES:
        return f"; {name} stands for {NICKNAMES[name]}"
    if name == "@reboot":
        return "; @reboot has no time, so submit a job instead"
    return f"; {name[:50]} is not known"


def _field_fault(name: str, parts: list[str]) -> str:
    part = parts[list(FIELDS).index(name)]
    if name == "day-of-month":
        try:
            CronSim(f"0 0 {part} * *", datetime(2000, 1, 1, tzinfo=UTC))
        except CronSimError:
            pass
        else:
            return NEVER  # a valid day, but not in these months
    return f"has an invalid {name}, {part[:50]!r}: it takes {FIELDS[name]}, and *, lists, ranges and steps of these"


def scheduled_job_id(name: str, tick: int) -> str:
    """Return the id of the job that a schedule starts at a tick: always the same UUID of version 7, with that time."""
    digest = int.from_bytes(sha256(f"{name}/{tick}".encode()).digest()[:10])
    number = (tick % 2**48) << 80 | digest
    for place, size, value in ((76, 4, 7), (62, 2, 2)):  # version and variant
        number = number & ~((2**size - 1) << place) | value << place
    return str(uuid.UUID(int=number))
