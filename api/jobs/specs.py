"""The API document's descriptions of the views of jobs: parameters, headers, responses and their links."""

from typing import Any, Final

from api.checks.idempotency import KEY_PATTERN
from api.http.form_values import ANY_JOB
from api.http.specs import (
    CHANGED,
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    RETRY_AFTER,
    STORE_DOWN,
    TOO_LARGE,
    UNSUPPORTED,
    Spec,
    header,
    json_response,
    parameter,
    problem_response,
    reference,
)
from errand.errors import (
    BodyUnreadable,
    JobRefused,
    JobUnknown,
    MoveRefused,
    ParameterRefused,
    StoreUnavailable,
)
from schemas.jobs import Accepted, Attempts, Batch, Job, Jobs
from schemas.requests import MAX_NAME, TAG_PATTERN
from schemas.status import Status

CURSOR_PATTERN: Final = "^[0-9]{1,16}$"
MOST_ROWS, DEFAULT_ROWS = 200, 50
"""Jobs on one page: at most, and by default."""

KEY_RULE: Final = "it must be 1 to 255 printable ASCII characters without spaces."
KEY: Final = parameter(
    "Idempotency-Key",
    "header",
    "A key of your choice, such as a UUID: the same request with the same key gets the same job again.",
    pattern=KEY_PATTERN,
)
PREFER: Final = parameter(
    "Prefer",
    "header",
    "`wait=N`: wait up to N seconds (at most 30) and return the finished job if it ends within that time.",
)
SUBMIT_PARAMETERS: Final = [KEY, PREFER]
OPERATION_FILTER: Final = parameter(
    "operation", "query", "Only jobs of this operation.", minLength=1, maxLength=MAX_NAME
)
TAG_FILTER: Final = parameter("tag", "query", "Only jobs with this tag.", pattern=TAG_PATTERN)

_LOCATION: Final = {"Location": header("The path of the job.", always=True, pattern="^(/[^/]+)*/jobs/[0-9a-f-]{36}$")}
_APPLIED: Final = {"Preference-Applied": header("`wait=N`: the request waited up to N seconds for the job's end.")}
_REPLAYED: Final = {
    "Idempotent-Replayed": header("`true`: an earlier request with this key has created the job.", enum=["true"])
}
JOB_RETRY_AFTER: Final = {
    "Retry-After": header(
        "Seconds after which to ask again, while the job has not ended: as long as jobs of this kind usually take.",
        type="integer",
        minimum=1,
        maximum=60,
    )
}

LINKS: Final = {
    name: {"operationId": operation_id, "parameters": {"job_id": "$response.body#/id"}}
    for name, operation_id in {
        "look": "getJob",
        "watch": "watchJob",
        "log": "getJobLog",
        "attempts": "getJobAttempts",
        "cancel": "cancelJob",
        "retry": "retryJob",
        "tell": "retryNotifications",
        "delete": "deleteJob",
    }.items()
}
"""OpenAPI links: the requests that use the id of an accepted job."""

_FAULT: Final = {"pointer": "/value", "detail": "is missing; it is required"}
_REFUSED: Final = JobRefused("Nothing was stored: correct /value, then send it again.", errors=[_FAULT])
JOB_NOT_FOUND: Final = problem_response("There is no job with this id, or it is no longer kept.", JobUnknown())

REFUSALS: Final[Spec] = {
    "400": problem_response(
        f"The body is not JSON, or the `Idempotency-Key` is not valid: {KEY_RULE}", BodyUnreadable()
    ),
    "413": TOO_LARGE,
    "415": UNSUPPORTED,
    "422": problem_response(
        "The body is not valid (`errors` lists each fault), or the `Idempotency-Key` belongs to another job.",
        _REFUSED,
    ),
    "503": problem_response(
        "Nothing was stored: the store is down, or no worker has started yet.", StoreUnavailable(), RETRY_AFTER
    ),
}

ACCEPT_RESPONSES: Final[Spec] = {
    # 202 first: where generators take one answer as the usual one, it is the first
    "202": json_response(
        "The job is stored and will be run.", reference(Accepted), {**_LOCATION, **_APPLIED, **_REPLAYED}
    )
    | {"links": LINKS},
    "200": json_response(
        "The job has finished within the time that `Prefer` allows.",
        reference(Job),
        {**_LOCATION, **ETAG, **_APPLIED, **_REPLAYED},
    ),
    **REFUSALS,
}

BATCH_SPEC: Final[Spec] = {
    "parameters": [KEY],
    "responses": {
        "202": json_response(
            "The id or the problem of each job, in the order of the request.", reference(Batch), _REPLAYED
        ),
        **REFUSALS,
    },
}

REPORT_SPEC: Final[Spec] = {
    "parameters": [ANY_JOB, IF_NONE_MATCH, PREFER],
    "responses": {
        "200": json_response("The job.", reference(Job), {**ETAG, **JOB_RETRY_AFTER, **_APPLIED}),
        "304": NOT_MODIFIED,
        "404": JOB_NOT_FOUND,
        "503": STORE_DOWN,
    },
}

LOG_SPEC: Final[Spec] = {
    "parameters": [ANY_JOB],
    "responses": {
        "200": {"description": "The lines of the log.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        "404": JOB_NOT_FOUND,
        "503": STORE_DOWN,
    },
}

ATTEMPTS_SPEC: Final[Spec] = {
    "parameters": [ANY_JOB],
    "responses": {
        "200": json_response("The attempts.", reference(Attempts)),
        "404": JOB_NOT_FOUND,
        "503": STORE_DOWN,
    },
}

LIST_SPEC: Final[Spec] = {
    "parameters": [
        parameter("status", "query", "Only jobs in this status.", enum=[status.value for status in Status]),
        OPERATION_FILTER,
        TAG_FILTER,
        parameter(
            "limit",
            "query",
            "The maximum number of jobs on a page.",
            type="integer",
            minimum=1,
            maximum=MOST_ROWS,
            default=DEFAULT_ROWS,
        ),
        parameter("cursor", "query", "Where the page begins: the `next` of the previous page.", pattern=CURSOR_PATTERN),
    ],
    "responses": {
        "200": json_response("A page of jobs, the newest first.", reference(Jobs)),
        "400": problem_response(
            "A parameter is unknown or out of range.",
            ParameterRefused("`limit` must be a whole number from 1 to 200.", parameter="limit"),
        ),
        "503": STORE_DOWN,
    },
}


def control_spec(job_id: Spec, description: str, refusal: str, done: dict[str, Any] | None = None) -> Spec:
    """Describe a view that changes a job: its parameter, its answer (or `done`), and the sentence of its refusal."""
    return {
        "parameters": [job_id, IF_MATCH],
        "responses": {
            **(done or {"202": json_response(description, reference(Job), {**ETAG, **JOB_RETRY_AFTER})}),
            "404": JOB_NOT_FOUND,
            "409": problem_response("The job's status does not allow this.", MoveRefused(refusal)),
            "412": CHANGED,
            "503": STORE_DOWN,
        },
    }
