"""A moment in a body: RFC 3339 with an offset from UTC, kept as whole milliseconds since 1970; and names of time zones.

`run_at` and `deadline` are moments, `timezone` is a name. Next: `requests.py`.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_FIRST: Final = -62_135_596_800_000
_LAST: Final = 253_402_300_799_999
"""The years 1 to 9999 in UTC, which is what Python can write."""
_RFC_3339: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})(?P<rest>\.[0-9]+)?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class Instant(int):
    """A moment in milliseconds since 1970."""

    @classmethod
    def parse(cls, text: str) -> "Instant":
        """Read RFC 3339; raise ValueError. A leap second counts as the one before it, the year 0 as the year 4."""
        if not (parts := _RFC_3339.fullmatch(text)):
            raise ValueError(text)
        day, second = parts["day"], parts["second"]
        # Python knows neither; the year 4 had as many days as the year 0, and both are long past
        day, second = f"0004{day[4:]}" if day[:4] == "0000" else day, "59" if second == "60" else second
        moment = f"{day}T{parts['minute']}:{second}{(parts['rest'] or '')[:7]}{parts['offset'].upper()}"
        return cls(min(max((datetime.fromisoformat(moment) - _EPOCH) // _MILLISECOND, _FIRST), _LAST))


def _instant(value: object) -> Instant:
    try:
        return Instant.parse(value) if isinstance(value, str) else _refuse()
    except ValueError:
        return _refuse()


def _refuse() -> Instant:
    raise PydanticCustomError("moment", "must be a time with its offset from UTC, like 2026-11-21T09:30:00Z (RFC 3339)")


Moment = Annotated[
    Instant,
    PlainValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A pydantic field that holds a moment."""

MAX_ZONE: Final = 64
"""Maximum characters of the name of a time zone."""
ZONE_PATTERN: Final = "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"
"""The form of the name of a time zone; there are some 600 of them."""

ZoneName = Annotated[
    str,
    # the pattern is for the document only: `errand/zones.py` refuses an unknown zone with a sentence of its own
    Field(max_length=MAX_ZONE, json_schema_extra={"pattern": ZONE_PATTERN}),
]
"""A pydantic field that holds the name of a time zone, as the IANA database spells it."""
