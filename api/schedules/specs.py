"""The API document's descriptions of the views of schedules (`views.py`)."""

from typing import Final

from api.http.form_values import filled
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
_LEAP_DAY: Final = {"cron": "0 0 29 2 *", "operation": "sum", "arguments": {"value": 30, "other": 10}}
_MAKE: Final = {"put": "/schedules/swagger-ui", "body": _LEAP_DAY, "at": "/name"}
_KNOWN_NAME: Final = filled(
    _NAME,
    look={"get": "/schedules", "each": "/schedules", "at": "/name"},
    make=_MAKE
    | {"note": "Filled with the first schedule. If there is none yet, Execute first stores an example for leap days."},
)
_OWN_NAME: Final = filled(
    _NAME, make=_MAKE | {"note": "Left empty, Execute first stores an example for leap days, `swagger-ui`."}
)
_FAULT: Final = {"pointer": "/cron", "detail": "must have five fields (minute hour day-of-month month day-of-week)"}
_REFUSED: Final = ScheduleRefused("Nothing was stored: correct /cron, then send it again.", errors=[_FAULT])
_UNKNOWN: Final = problem_response("There is no schedule with this name.", ScheduleUnknown())

PUT_SPEC: Final[Spec] = {
    "parameters": [_NAME | {"example": "swagger-ui"}, IF_MATCH, UNLESS_EXISTS],
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
    "parameters": [_KNOWN_NAME, IF_NONE_MATCH],
    "responses": {
        "200": json_response("The schedule.", reference(Schedule), ETAG),
        "304": NOT_MODIFIED,
        "404": _UNKNOWN,
        "503": STORE_DOWN,
    },
}
DELETE_SPEC: Final[Spec] = {
    "parameters": [_OWN_NAME, IF_MATCH],
    "responses": {
        "204": {"description": "The schedule is deleted; the jobs it has started continue."},
        "404": _UNKNOWN,
        "412": CHANGED,
        "503": STORE_DOWN,
    },
}
