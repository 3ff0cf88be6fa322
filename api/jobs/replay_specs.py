"""The API document's descriptions of the views that run jobs again (`control.py` and `replays.py`)."""

from typing import Any, Final

from api.http.form_values import FAILED_JOB
from api.http.specs import (
    CHANGED,
    IF_MATCH,
    Spec,
    header,
    json_response,
    parameter,
    problem_response,
    reference,
)
from api.jobs.specs import (
    ACCEPT_RESPONSES,
    JOB_NOT_FOUND,
    JOB_RETRY_AFTER,
    KEY,
    KEY_RULE,
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
"""Statuses from which jobs can run again; the first is the default."""
NARROWING: Final = ("operation", "tag")
"""At least one of these parameters is required, so that nobody runs all jobs again by mistake."""
PLACES_PATTERN: Final = "^[0-9]{1,16}-[0-9]{1,16}$"
UNBOUNDED: Final = "Send `operation` or `tag`, or both: without them, all jobs would run again."
NOT_RETRYABLE: Final = "The job's status is `%s`; only a failed or cancelled job can be run again."

_EXAMPLES: Final[dict[str, Any]] = {
    "as it is": {"summary": "Run it again unchanged", "value": {}},
    "other arguments": {"summary": "Replay it with other arguments", "value": {"arguments": {"other": 10}}},
}
_BODY: Final[Spec] = {
    "required": False,
    "content": {"application/json": {"schema": reference(ReplayRequest), "examples": _EXAMPLES}},
}
_REPLAYED: Final = ACCEPT_RESPONSES["202"]["headers"]["Idempotent-Replayed"]
_WITH_ARGUMENTS: Final = " Applies if `arguments` are sent."

RETRY_SPEC: Final[Spec] = {
    "parameters": [
        FAILED_JOB,
        IF_MATCH,
        *(each | {"description": each["description"] + _WITH_ARGUMENTS} for each in (KEY, PREFER)),
    ],
    "requestBody": _BODY,
    "responses": {
        **ACCEPT_RESPONSES,
        "202": json_response(
            "The job waits to run again, with all its attempts; or its replay was accepted.",
            {"anyOf": [reference(Job), reference(Accepted)]},
            {
                **ACCEPT_RESPONSES["202"]["headers"],
                "ETag": header("Identifies this version of the job's report."),
                **JOB_RETRY_AFTER,
            },
        ),
        "404": JOB_NOT_FOUND,
        "409": problem_response("The job's status does not allow this.", MoveRefused(NOT_RETRYABLE % "succeeded")),
        "412": CHANGED,
    },
}

RETRY_ALL_SPEC: Final[Spec] = {
    "parameters": [
        parameter("status", "query", "Run the jobs in this status again.", enum=list(RETRYABLE), default=RETRYABLE[0]),
        *(OPERATION_FILTER, TAG_FILTER | {"example": "swagger-ui"}),
        parameter(
            "limit",
            "query",
            "The maximum number of jobs of one request. With several filters or large arguments there may be fewer, or "
            "none, although `next` shows that more follow.",
            type="integer",
            minimum=1,
            maximum=MOST_RETRIED,
            default=MOST_RETRIED,
        ),
        parameter("cursor", "query", "Where to continue: the `next` of the previous answer.", pattern=PLACES_PATTERN),
        KEY
        | {
            "description": "A key of your choice, such as a UUID: with the same key, each job is replayed only once."
            + _WITH_ARGUMENTS
        },
    ],
    "requestBody": _BODY,
    "responses": {
        "202": json_response(
            "The jobs that run again, or their replays; and the jobs that were rejected.",
            reference(Retried),
            {"Idempotent-Replayed": _REPLAYED},
        ),
        **REFUSALS,
        "400": problem_response(
            "`operation` and `tag` are both missing, a parameter is unknown or out of range, the body is not JSON, or "
            f"the `Idempotency-Key` is not valid: {KEY_RULE}",
            ParameterRefused(UNBOUNDED, parameter="operation"),
        ),
    },
}
