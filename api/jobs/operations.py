"""The catalogue over HTTP: `GET /operations`, `GET /operations/{name}`, and `POST /operations/{name}`, which runs one.

Next: `submit.py`, which accepts the job.
"""

from functools import lru_cache

from flask import Blueprint

from api.checks.arguments import published
from api.context import current_errand
from api.http.answer import Answer, json_or_not_modified
from api.http.body import read_body
from api.http.specs import documented
from api.jobs.operation_specs import CATALOGUE_SPEC, OPERATION_SPEC, RUN_SPEC
from api.jobs.submit import accept_operation
from errand.errors import CatalogueEmpty, OperationUnknown
from schemas.requests import OperationRequest

operations = Blueprint("operations", __name__)


@operations.get("/operations")
@documented("listOperations", tags=["operations"], **CATALOGUE_SPEC)
def catalogue() -> Answer:
    """List the operations

    Returns every operation that the workers have announced, with the JSON Schemas of its arguments and its result.
    """
    rows = (_row(text) for _, text in sorted(current_errand().catalogue.texts().items()))
    return json_or_not_modified(f'{{"operations":[{",".join(rows)}]}}\n')


@operations.get("/operations/<name>")
@documented("getOperation", tags=["operations"], **OPERATION_SPEC)
def operation(name: str) -> Answer:
    """Look at an operation

    Returns the operation's description, its limits, examples, and the JSON Schemas of its arguments and its result.
    """
    try:
        text = current_errand().catalogue.find(name)
    except CatalogueEmpty:
        raise OperationUnknown() from None
    return json_or_not_modified(_row(text) + "\n")


@operations.post("/operations/<name>")
@documented("runOperation", tags=["operations"], **RUN_SPEC)
def run(name: str) -> Answer:
    """Run an operation

    Accepts a job of this operation, just as `POST /jobs` does.
    """
    text = current_errand().catalogue.find(name)
    return accept_operation(text, read_body(OperationRequest))


@lru_cache(maxsize=256)
def _row(operation_text: str) -> str:
    """Write an operation with the fields that this release knows."""
    return published(operation_text).operation.model_dump_json()
