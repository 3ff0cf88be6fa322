"""How the views of jobs describe themselves for the API document.

Stands beside the life of a job. Next: `submit.py`, the first of these views.
"""

from typing import Any, Final

from api.checks.idempotency import KEY_PATTERN
from api.http.specs import (
    ETAG,
    IF_NONE_MATCH,
    JOB_ID,
    NOT_MODIFIED,
    RETRY_AFTER,
    STORE_DOWN,
    TOO_LARGE,
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
    MediaTypeUnsupported,
    MoveRefused,
    ParameterRefused,
    StoreUnavailable,
)
from schemas.jobs import Accepted, Batch, Job, Jobs
from schemas.requests import MAX_NAME, TAG_PATTERN
from schemas.status import Status

CURSOR_PATTERN: Final = "^[0-9]{1,16}$"
MOST_ROWS, DEFAULT_ROWS = 200, 50
"""Jobs of one page at most, and when nobody says how many."""

KEY: Final = parameter(
    "Idempotency-Key",
    "header",
    "Any text of your own, such as a UUID: who sends the same request again under the same key gets the same job.",
    pattern=KEY_PATTERN,
)
PREFER: Final = parameter(
    "Prefer", "header", "`wait=N`: answer with the finished job if it finishes within N seconds (at most 30)."
)
SUBMIT_PARAMETERS: Final = [KEY, PREFER]
OPERATION_FILTER: Final = parameter(
    "operation", "query", "Only jobs of this operation.", minLength=1, maxLength=MAX_NAME
)
TAG_FILTER: Final = parameter("tag", "query", "Only jobs with this tag.", pattern=TAG_PATTERN)

_LOCATION: Final = {"Location": header("Path of the job.", always=True, pattern="^/jobs/[0-9a-f-]{36}$")}
_APPLIED: Final = {"Preference-Applied": header("`wait=N`: how long the request was willing to wait.")}
_REPLAYED: Final = {"Idempotent-Replayed": header("`true`: this job was accepted before.", enum=["true"])}
JOB_RETRY_AFTER: Final = {
    "Retry-After": header(
        "Seconds after which to ask again, while it has not ended: as long as such jobs usually take.",
        type="integer",
        minimum=1,
        maximum=60,
    )
}

LINKS: Final = {
    name: {"operationRef": f"#/paths/~1jobs~1{{job_id}}{path}", "parameters": {"job_id": "$response.body#/id"}}
    for name, path in {
        "look": "/get",
        "watch": "~1events/get",
        "log": "~1log/get",
        "cancel": "~1cancel/post",
        "retry": "~1retry/post",
        "tell": "~1notifications~1retry/post",
        "delete": "/delete",
    }.items()
}
"""Where to go with the id of an accepted job."""

_FAULT: Final = {"pointer": "/value", "detail": "is missing; it is required"}
_REFUSED: Final = JobRefused("Nothing was stored: correct /value, then send it again.", errors=[_FAULT])
JOB_NOT_FOUND: Final = problem_response("There is no such job (any more).", JobUnknown())

REFUSALS: Final[Spec] = {
    "400": problem_response("The body is not JSON, or the `Idempotency-Key` can be none.", BodyUnreadable()),
    "413": TOO_LARGE,
    "415": problem_response("The body is not declared as `application/json`.", MediaTypeUnsupported()),
    "422": problem_response(
        "The body is JSON but not a job: `errors` names each wrong place. Or the `Idempotency-Key` is another job's.",
        _REFUSED,
    ),
    "503": problem_response(
        "Nothing was stored: the store is down, or no worker is there yet.", StoreUnavailable(), RETRY_AFTER
    ),
}

ACCEPT_RESPONSES: Final[Spec] = {
    "200": json_response(
        "It has finished already, which the request preferred to wait for.",
        reference(Job),
        {**_LOCATION, **ETAG, **_APPLIED, **_REPLAYED},
    ),
    "202": json_response("Stored; it will be run.", reference(Accepted), {**_LOCATION, **_APPLIED, **_REPLAYED})
    | {"links": LINKS},
    **REFUSALS,
}

BATCH_SPEC: Final[Spec] = {
    "parameters": [KEY],
    "responses": {"202": json_response("What became of each job.", reference(Batch), _REPLAYED), **REFUSALS},
}

REPORT_SPEC: Final[Spec] = {
    "parameters": [JOB_ID, IF_NONE_MATCH, PREFER],
    "responses": {
        "200": json_response("The job.", reference(Job), {**ETAG, **JOB_RETRY_AFTER, **_APPLIED}),
        "304": NOT_MODIFIED,
        "404": JOB_NOT_FOUND,
        "503": STORE_DOWN,
    },
}

LOG_SPEC: Final[Spec] = {
    "parameters": [JOB_ID],
    "responses": {
        "200": {"description": "Its lines.", "content": {"text/plain": {"schema": {"type": "string"}}}},
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
            "limit", "query", "Jobs on a page.", type="integer", minimum=1, maximum=MOST_ROWS, default=DEFAULT_ROWS
        ),
        parameter("cursor", "query", "Where the page begins: `next` of the page before.", pattern=CURSOR_PATTERN),
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


def control_spec(description: str, refusal: str, done: dict[str, Any] | None = None) -> Spec:
    """Describe a view that changes a job: what its answer says, and the sentence of its refusal."""
    return {
        "parameters": [JOB_ID],
        "responses": {
            **(done or {"202": json_response(description, reference(Job), {**ETAG, **JOB_RETRY_AFTER})}),
            "404": JOB_NOT_FOUND,
            "409": problem_response("Its status does not allow that.", MoveRefused(refusal)),
            "503": STORE_DOWN,
        },
    }
