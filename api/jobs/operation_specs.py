"""The API document's descriptions of the catalogue's views (`operations.py`)."""

from typing import Final

from api.http.specs import (
    ETAG,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    STORE_DOWN,
    Spec,
    json_request,
    json_response,
    parameter,
    problem_response,
    reference,
)
from api.jobs.specs import ACCEPT_RESPONSES, SUBMIT_PARAMETERS
from errand.errors import OperationUnknown
from schemas.operations import Operation, Operations
from schemas.requests import MAX_NAME, OperationRequest

NAME: Final = parameter("name", "path", "The operation's name.", minLength=1, maxLength=MAX_NAME) | {"example": "sum"}
EXAMPLE: Final = {"arguments": {"value": 30, "other": 10}, "email": "name@email.com"}
_UNKNOWN: Final = problem_response("There is no operation with this name.", OperationUnknown())

CATALOGUE_SPEC: Final[Spec] = {
    "parameters": [IF_NONE_MATCH],
    "responses": {
        "200": json_response("All operations, by name.", reference(Operations), ETAG),
        "304": NOT_MODIFIED,
        "503": STORE_DOWN,
    },
}
OPERATION_SPEC: Final[Spec] = {
    "parameters": [NAME, IF_NONE_MATCH],
    "responses": {
        "200": json_response("The operation.", reference(Operation), ETAG),
        "304": NOT_MODIFIED,
        "404": _UNKNOWN,
        "503": STORE_DOWN,
    },
}
RUN_SPEC: Final[Spec] = {
    "parameters": [NAME, *SUBMIT_PARAMETERS],
    "requestBody": json_request(OperationRequest, EXAMPLE),
    "responses": {**ACCEPT_RESPONSES, "404": _UNKNOWN},
}
