"""How the views that run jobs again describe themselves for the API document.

Stands beside the life of a job that has ended. Next: `control.py` and `replays.py`, the views.
"""

from typing import Any, Final

from api.http.specs import JOB_ID, Spec, header, json_response, parameter, problem_response, reference
from api.jobs.specs import (
    ACCEPT_RESPONSES,
    JOB_NOT_FOUND,
    JOB_RETRY_AFTER,
    KEY,
    OPERATION_FILTER,
    PREFER,
    REFUSALS,
    TAG_FILTER,
)
from errand.errors import MoveRefused, ParameterRefused
from schemas.jobs import Accepted, Job
from schemas.replays import MOST_RETRIED, ReplayRequest, Retried
from schemas.status import Status

RETRYABLE: Final = (Status.FAILED.value, Status.CANCELLED.value)
"""Statuses from which jobs run again; the first is meant where none is named."""
NARROWING: Final = ("operation", "tag")
"""Parameters of which one at least is asked for, so that nobody runs everything again by mistake."""
PLACES_PATTERN: Final = "^[0-9]{1,16}-[0-9]{1,16}$"
UNBOUNDED: Final = "Say which jobs: send `operation` or `tag`, or both, so that not all there are run again by mistake."
NOT_RETRYABLE: Final = "The job is %s; only a failed or cancelled job can be run again."

_EXAMPLES: Final[dict[str, Any]] = {
    "as it is": {"summary": "Run again as it is", "value": {}},
    "other arguments": {"summary": "Replay with other arguments", "value": {"arguments": {"other": 10}}},
}
_BODY: Final[Spec] = {
    "required": False,
    "content": {"application/json": {"schema": reference(ReplayRequest), "examples": _EXAMPLES}},
}
_REPLAYED: Final = ACCEPT_RESPONSES["202"]["headers"]["Idempotent-Replayed"]
_WITH_ARGUMENTS: Final = " Counts where `arguments` are sent."

RETRY_SPEC: Final[Spec] = {
    "parameters": [
        JOB_ID,
        *(each | {"description": each["description"] + _WITH_ARGUMENTS} for each in (KEY, PREFER)),
    ],
    "requestBody": _BODY,
    "responses": {
        **ACCEPT_RESPONSES,
        "202": json_response(
            "It waits to be run again, with all its attempts; or its replay was accepted.",
            {"anyOf": [reference(Job), reference(Accepted)]},
            {**ACCEPT_RESPONSES["202"]["headers"], "ETag": header("Names this state of the job."), **JOB_RETRY_AFTER},
        ),
        "404": JOB_NOT_FOUND,
        "409": problem_response("Its status does not allow that.", MoveRefused(NOT_RETRYABLE % "succeeded")),
    },
}

RETRY_ALL_SPEC: Final[Spec] = {
    "parameters": [
        parameter("status", "query", "Jobs in this status.", enum=list(RETRYABLE), default=RETRYABLE[0]),
        *(OPERATION_FILTER, TAG_FILTER),
        parameter(
            "limit",
            "query",
            "Jobs of one request. There may be fewer, or none, before `next` goes on: where several filters meet, and "
            "where arguments are large.",
            type="integer",
            minimum=1,
            maximum=MOST_RETRIED,
            default=MOST_RETRIED,
        ),
        parameter("cursor", "query", "Where to go on: `next` of the request before.", pattern=PLACES_PATTERN),
        KEY | {"description": "Any text of your own: under the same key each job is replayed once." + _WITH_ARGUMENTS},
    ],
    "requestBody": _BODY,
    "responses": {
        "202": json_response("What became of the jobs.", reference(Retried), {"Idempotent-Replayed": _REPLAYED}),
        **REFUSALS,
        "400": problem_response(
            "Neither `operation` nor `tag` is there, a parameter is unknown or out of range, the body is not JSON, or "
            "the `Idempotency-Key` can be none.",
            ParameterRefused(UNBOUNDED, parameter="operation"),
        ),
    },
}
