"""Checks the names of time zones, and guesses the zone that a wrong name stands for.

Used for schedules (`schedules.py`) and for the `timezone` of a job (`api/checks/options.py`). The only I/O is reading
the list of time zone files, once.
"""

import re
from difflib import get_close_matches
from functools import cache
from typing import Final
from zoneinfo import available_timezones

NO_ZONES: Final = frozenset({"localtime", "Factory"})
"""Files among the time zones that mean something else on each machine, or nothing."""
UTC_NAMES: Final = frozenset({"z", "zulu", "utc", "gmt", "coordinated_universal_time", "utc+0", "gmt+0"})
"""What else UTC is called."""
SHORTEST_GUESS: Final = 4
"""Characters of a name for which a similar one is guessed: shorter ones resemble anything."""

_NO_OFFSET: Final = re.compile("(?:utc|gmt)?[+-]0?0(?::?00)?")
_OFFSET: Final = re.compile("(?:utc|gmt)?([+-])(0?[1-9]|1[0-4])(?::?00)?")


def timezone_fault(timezone: str) -> str | None:
    """Return a sentence that says what is wrong with the name of a time zone, or None if the zone exists."""
    if timezone in _zones():
        return None
    near = _zone_meant(timezone[:64])
    hint = f"; did you mean {near}?" if near else ", such as Europe/Berlin or UTC"
    return f"must be the name of a time zone in the IANA database{hint}"


def _zone_meant(text: str) -> str | None:
    """Guess the zone that a name stands for: UTC by another name, a fixed offset, a city, a name in another case."""
    name = text.strip().replace(" ", "_").casefold()
    if name in UTC_NAMES or _NO_OFFSET.fullmatch(name):
        return "UTC"
    if offset := _OFFSET.fullmatch(name):
        sign = "-" if offset[1] == "+" else "+"  # the names of the Etc zones count westwards (POSIX)
        zone = f"Etc/GMT{sign}{int(offset[2])}"
        return zone if zone in _zones() else None
    spelled = _zones_by_name()
    if len(name) < SHORTEST_GUESS:
        return spelled.get(name)
    near = get_close_matches(name, spelled, 1, cutoff=0.8)
    return spelled[near[0]] if near else None


@cache
def _zones_by_name() -> dict[str, str]:
    """Return all zones, by their names and by their cities in lower case."""
    cities = {
        zone.rpartition("/")[2].casefold(): zone for zone in sorted(_zones()) if "/" in zone and "Etc/" not in zone
    }
    return cities | {zone.casefold(): zone for zone in _zones()}


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - NO_ZONES
