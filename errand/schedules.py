"""When a schedule is due: cron expressions in a time zone, as arithmetic on milliseconds. No I/O but the zones'
files.

Stands before step 1 of the jobs that nobody posts: `api/schedules/views.py` checks an expression here,
`workers/rescuer/scheduler.py` asks for the tick that is due and for those that follow. Next: `store/schedules.py`,
which keeps them.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from itertools import dropwhile, islice
from typing import Final, Self
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from errand.errors import ScheduleRefused
from schemas.schedules import CRON_PATTERN

UPCOMING: Final = 5
"""How many of the times to come are shown."""
FIELDS: Final = {
    "minute": "0-59",
    "hour": "0-23",
    "day-of-month": "1-31, L (the last day) or LW (the last weekday)",
    "month": "1-12 or JAN-DEC",
    "day-of-week": "0-7 or SUN-SAT (0 and 7 are Sunday), 5L (the last Friday) or FRI#2 (the second Friday)",
}
"""The fields of an expression, in their order, and what each may hold, beside *, lists, ranges and steps of it."""
NO_ZONES: Final = frozenset({"localtime", "Factory"})
"""What lies among the zones' files and means something else on each machine, or nothing."""
UNWRITTEN: Final = "must be written with the letters A-Z, digits and * , / # -, and with spaces between its fields"
NEVER: Final = "never comes: no day in fifty years fits its day-of-month, month and day-of-week together"

_WRITTEN: Final = re.compile(CRON_PATTERN.removeprefix("^").removesuffix("$"))


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """A cron expression in a time zone. All times are milliseconds since 1970 in UTC; a tick is one of its times."""

    cron: str
    timezone: str
    zone: ZoneInfo = field(repr=False, compare=False)

    @classmethod
    def parse(cls, cron: str, timezone: str) -> Self:
        """Read both; raise ScheduleRefused with a sentence for each that is wrong."""
        told = {"/cron": cron_fault(cron), "/timezone": timezone_fault(timezone)}
        errors = [{"pointer": pointer, "detail": detail} for pointer, detail in told.items() if detail]
        if errors:
            places = " and ".join(error["pointer"] for error in errors)
            raise ScheduleRefused(f"Nothing was stored: correct {places}, then send it again.", errors=errors)
        return cls(" ".join(cron.split()), timezone, ZoneInfo(timezone))

    def after(self, ms: int) -> int | None:
        """Give the first tick later than `ms`, or None when there is none in the fifty years that follow."""
        return next(self._ticks(ms), None)

    def upcoming(self, ms: int, count: int = UPCOMING) -> list[int]:
        """Give the next `count` ticks later than `ms`, fewer when there are no more."""
        return list(islice(self._ticks(ms), count))

    def latest(self, since: int, now: int) -> int:
        """Give the last tick up to `now`, or `since` when there is none between: found by halves, however long ago."""
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
        ticks = (
            int(tick.timestamp()) * 1000 for tick in CronSim(self.cron, datetime.fromtimestamp(ms // 1000, self.zone))
        )
        # In the hour that clocks show twice, the library may begin with ticks of the first time round, which are over.
        return dropwhile(lambda tick: tick <= ms, ticks)


def local(ms: int, timezone: str) -> str:
    """Write a time as the clocks of a zone show it: RFC 3339 with their distance from UTC."""
    return datetime.fromtimestamp(ms // 1000, ZoneInfo(timezone)).isoformat()


def cron_fault(cron: str) -> str | None:
    """Say in a sentence what is wrong with an expression; None when it is right."""
    parts = cron.split()
    if len(parts) != len(FIELDS):
        seconds = "; seconds can't be given" if len(parts) == len(FIELDS) + 1 else ""
        return f"must have five fields ({' '.join(FIELDS)}) and has {len(parts)}{seconds}"
    try:
        next(CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC)))  # whether it ever comes doesn't depend on the zone
    except StopIteration:
        return NEVER
    except CronSimError as error:
        return _field_fault(str(error).removeprefix("Bad "), parts)
    return None if _WRITTEN.fullmatch(cron) else UNWRITTEN


def _field_fault(name: str, parts: list[str]) -> str:
    part = parts[list(FIELDS).index(name)]
    if name == "day-of-month":
        try:
            CronSim(f"0 0 {part} * *", datetime(2000, 1, 1, tzinfo=UTC))
        except CronSimError:
            pass
        else:
            return NEVER  # the day is one, but of none of these months
    return f"has a {name} that is none, {part[:50]!r}: it takes {FIELDS[name]}, and *, lists, ranges and steps of these"


def timezone_fault(timezone: str) -> str | None:
    """Say in a sentence what is wrong with the name of a time zone; None when there is such a zone."""
    if timezone in _zones():
        return None
    near = get_close_matches(timezone[:64], _zones(), 1)
    hint = f"; did you mean {near[0]}?" if near else ", such as Europe/Berlin or UTC"
    return f"must be the name of a time zone in the IANA database{hint}"


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - NO_ZONES


def scheduled_job_id(name: str, tick: int) -> str:
    """Give the id of the job that a schedule starts for a tick, always the same: a UUID of version 7 of that time."""
    chance = int.from_bytes(sha256(f"{name}/{tick}".encode()).digest()[:10])
    number = (tick % 2**48) << 80 | chance
    for place, size, value in ((76, 4, 7), (62, 2, 2)):  # version and variant
        number = number & ~((2**size - 1) << place) | value << place
    return str(uuid.UUID(int=number))
