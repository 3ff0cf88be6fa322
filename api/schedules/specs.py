"""How the views of schedules describe themselves for the API document.

Stands beside the life of a job. Next: `views.py`, the views.
"""

from typing import Final

from api.http.specs import (
    ETAG,
    RETRY_AFTER,
    SEEN,
    STORE_DOWN,
    TOO_LARGE,
    UNCHANGED,
    Spec,
    gives,
    parameter,
    reference,
    refuses,
)
from errand.errors import (
    MediaTypeUnsupported,
    ScheduleNameRefused,
    ScheduleRefused,
    SchedulesFull,
    ScheduleUnknown,
    StoreUnavailable,
)
from schemas.schedules import NAME_PATTERN, Schedule, ScheduleList

_NAME: Final = parameter("name", "path", "Name of the schedule.", pattern=NAME_PATTERN)
_FAULT: Final = {"pointer": "/cron", "detail": "must have five fields (minute hour day-of-month month day-of-week)"}
_REFUSED: Final = ScheduleRefused("Nothing was stored: correct /cron, then send it again.", errors=[_FAULT])
_UNKNOWN: Final = refuses("There is no such schedule.", ScheduleUnknown())

PUTTING: Final[Spec] = {
    "parameters": [_NAME],
    "responses": {
        "200": gives("There was one of this name; this is how it stands now.", reference(Schedule), ETAG),
        "201": gives("Stored.", reference(Schedule), ETAG),
        "400": refuses("The name is none, or the body is not JSON.", ScheduleNameRefused()),
        "409": refuses("There are as many schedules as are kept.", SchedulesFull()),
        "413": TOO_LARGE,
        "415": refuses("The body is not declared as `application/json`.", MediaTypeUnsupported()),
        "422": refuses("The body is JSON but not a schedule; `errors` names each wrong place.", _REFUSED),
        "503": refuses(
            "Nothing was stored: the store is down, or no worker is there yet.", StoreUnavailable(), RETRY_AFTER
        ),
    },
}
LISTING: Final[Spec] = {
    "parameters": [SEEN],
    "responses": {
        "200": gives("All schedules, by name.", reference(ScheduleList), ETAG),
        "304": UNCHANGED,
        "503": STORE_DOWN,
    },
}
LOOKING: Final[Spec] = {
    "parameters": [_NAME, SEEN],
    "responses": {
        "200": gives("The schedule.", reference(Schedule), ETAG),
        "304": UNCHANGED,
        "404": _UNKNOWN,
        "503": STORE_DOWN,
    },
}
DELETING: Final[Spec] = {
    "parameters": [_NAME],
    "responses": {
        "204": {"description": "It is gone; the jobs it has started go on."},
        "404": _UNKNOWN,
        "503": STORE_DOWN,
    },
}
