"""How the event streams describe themselves in the API document."""

from typing import Any, Final

from api.http.form_values import ANY_JOB
from api.http.specs import RETRY_AFTER, Spec, parameter, problem_response, text_response
from errand.errors import EventIdRefused, JobUnknown, StreamsFull

_ID: Final = "019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11"
_SAMPLE: Final = f"""\
retry: 2000
id: 1795241594123-0
event: status
data: {{"id":"{_ID}","status":"running","attempt":1}}

id: 1795241594523-0
event: progress
data: {{"id":"{_ID}","progress":0.4,"message":"counting","eta_seconds":2.1}}

id: 1795241594523-1
event: log
data: {{"id":"{_ID}","line":"so far 78498"}}

: still here
"""

_LAST: Final = parameter(
    "Last-Event-ID",
    "header",
    "The `id` of the last event you received; the stream begins after it. It may first repeat a running job's "
    "progress. Browsers send this header by themselves.",
    pattern="^[0-9]{1,19}-[0-9]{1,19}$",
) | {"example": "1795241594123-0"}
_STREAM: Final = text_response(
    "A stream of events (Server-Sent Events), each with its `id`; `event` is `status`, `progress` or `log`, and `data` "
    "a JSON object on one line, with the job's `id`. A block that has an `id` and no `data` only says where to resume.",
    "text/event-stream",
    _SAMPLE,
)
_REFUSALS: Final[dict[str, Any]] = {
    "400": problem_response("`Last-Event-ID` is not the id of an event.", EventIdRefused()),
    "503": problem_response("The store is down, or too many streams are open.", StreamsFull(), RETRY_AFTER),
}

WATCHING: Final[Spec] = {
    "parameters": [ANY_JOB, _LAST],
    "responses": {
        "200": _STREAM,
        "204": {"description": "The job has ended and you have all its events. Don't reconnect."},
        "404": problem_response("No job has this id, or it has been removed.", JobUnknown()),
        **_REFUSALS,
    },
}
WATCHING_ALL: Final[Spec] = {"parameters": [_LAST], "responses": {"200": _STREAM, **_REFUSALS}}
