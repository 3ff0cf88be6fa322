"""How the views of the catalogue describe themselves for the API document.

Stands beside the life of a job. Next: `operations.py`, the views.
"""

from typing import Final

from api.http.specs import ETAG, SEEN, STORE_DOWN, UNCHANGED, Spec, gives, parameter, reference, refuses, takes
from api.jobs.specs import ACCEPTING, SENDING
from errand.errors import OperationUnknown
from schemas.operations import Operation, Operations
from schemas.requests import MAX_NAME, OperationRequest

NAME: Final = parameter("name", "path", "Name of the operation.", minLength=1, maxLength=MAX_NAME)
EXAMPLE: Final = {"arguments": {"value": 30, "other": 10}, "email": "name@email.com"}
_UNKNOWN: Final = refuses("There is no operation of this name.", OperationUnknown())

CATALOGUE: Final[Spec] = {
    "parameters": [SEEN],
    "responses": {
        "200": gives("All operations, by name.", reference(Operations), ETAG),
        "304": UNCHANGED,
        "503": STORE_DOWN,
    },
}
OPERATION: Final[Spec] = {
    "parameters": [NAME, SEEN],
    "responses": {
        "200": gives("The operation.", reference(Operation), ETAG),
        "304": UNCHANGED,
        "404": _UNKNOWN,
        "503": STORE_DOWN,
    },
}
RUNNING: Final[Spec] = {
    "parameters": [NAME, *SENDING],
    "requestBody": takes(OperationRequest, EXAMPLE),
    "responses": {**ACCEPTING, "404": _UNKNOWN},
}
