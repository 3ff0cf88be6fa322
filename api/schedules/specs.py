"""The API document's descriptions of the views of schedules (`views.py`)."""

from typing import Final

from api.http.specs import (
    CHANGED,
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    RETRY_AFTER,
    STORE_DOWN,
    TOO_LARGE,
    UNLESS_EXISTS,
    UNSUPPORTED,
    Spec,
    json_response,
    parameter,
    problem_response,
    reference,
)
from errand.errors import (
    ScheduleNameRefused,
    ScheduleRefused,
    SchedulesFull,
    ScheduleUnknown,
    StoreUnavailable,
)
from schemas.schedules import NAME_PATTERN, Schedule, ScheduleList

_NAME: Final = parameter("name", "path", "The schedule's name.", pattern=NAME_PATTERN)
_FAULT: Final = {"pointer": "/cron", "detail": "must have five fields (minute hour day-of-month month day-of-week)"}
_REFUSED: Final = ScheduleRefused("Nothing was stored: correct /cron, then send it again.", errors=[_FAULT])
_UNKNOWN: Final = problem_response("There is no schedule with this name.", ScheduleUnknown())

PUT_SPEC: Final[Spec] = {
    "parameters": [_NAME, IF_MATCH, UNLESS_EXISTS],
    "responses": {
        "200": json_response("The schedule existed before; this is its new state.", reference(Schedule), ETAG),
        "201": json_response("The schedule is created.", reference(Schedule), ETAG),
        "400": problem_response(
            "The name is not valid (1 to 64 letters, digits, dots, underscores and hyphens), or the body is not JSON.",
            ScheduleNameRefused(),
        ),
        "409": problem_response("The maximum number of schedules is reached.", SchedulesFull()),
        "412": CHANGED,
        "413": TOO_LARGE,
        "415": UNSUPPORTED,
        "422": problem_response("The body is not a valid schedule; `errors` lists each fault.", _REFUSED),
        "503": problem_response(
            "Nothing was stored: the store is down, or no worker has started yet.", StoreUnavailable(), RETRY_AFTER
        ),
    },
}
LIST_SPEC: Final[Spec] = {
    "parameters": [IF_NONE_MATCH],
    "responses": {
        "200": json_response("All schedules, by name.", reference(ScheduleList), ETAG),
        "304": NOT_MODIFIED,
        "503": STORE_DOWN,
    },
}
GET_SPEC: Final[Spec] = {
    "parameters": [_NAME, IF_NONE_MATCH],
    "responses": {
        "200": json_response("The schedule.", reference(Schedule), ETAG),
        "304": NOT_MODIFIED,
        "404": _UNKNOWN,
        "503": STORE_DOWN,
    },
}
DELETE_SPEC: Final[Spec] = {
    "parameters": [_NAME, IF_MATCH],
    "responses": {
        "204": {"description": "The schedule is deleted; the jobs it has started continue."},
        "404": _UNKNOWN,
        "412": CHANGED,
        "503": STORE_DOWN,
    },
}
