"""Puts the API document together, once for each app: flasgger collects what the views say, the models are the schemas.

Stands beside the life of a job. Next: `operation_forms.py`, which adds the operations there are.
"""

from copy import deepcopy
from importlib.metadata import version
from typing import Any, Final

from flask import Flask
from pydantic import BaseModel

from api import plugins
from api.docs.openapi import COMPONENTS, Schema, schemas_of
from api.http.specs import NOT_ALLOWED
from schemas.jobs import Accepted, Batch, Job, Jobs
from schemas.operations import Operation, Operations
from schemas.problems import Problem
from schemas.replays import ReplayRequest, Retried
from schemas.requests import BatchRequest, ComputeRequest, JobRequest, OperationRequest
from schemas.schedules import Schedule, ScheduleList, ScheduleRequest

ENDPOINT: Final = "apispec"

TEMPLATE: Final[dict[str, Any]] = {
    "info": {
        "title": "Errand",
        "version": version("errand"),
        "description": (
            "POST a piece of work and get `202 accepted` at once. Workers compute it, keep the result and mail it. "
            "**What was accepted is never lost, never finished twice, and its owner is told.**"
        ),
    },
    "tags": [
        {"name": "jobs", "description": "Hand in work, look how it is doing, call it off."},
        {"name": "operations", "description": "What the workers can compute now, and a form for each."},
        {"name": "schedules", "description": "Have work done again and again, by cron expressions in any time zone."},
        {"name": "events", "description": "Watch jobs as they change: status, progress and log lines."},
        {"name": "mail", "description": "Where the links in mails lead: pages, which need no more than the link."},
        {"name": "mailbox", "description": "Read the mails that were caught: for development, where `MAILBOX` is set."},
        {"name": "health", "description": "For those who run this service."},
        {"name": "documentation", "description": "This page and what it is made of."},
    ],
}


BODIES: Final[tuple[type[BaseModel], ...]] = (
    ComputeRequest,
    JobRequest,
    OperationRequest,
    BatchRequest,
    ReplayRequest,
    ScheduleRequest,
)
ANSWERS: Final[tuple[type[BaseModel], ...]] = (
    Accepted,
    Batch,
    Job,
    Jobs,
    Retried,
    Operation,
    Operations,
    Schedule,
    ScheduleList,
    Problem,
)


def build_document(app: Flask) -> Schema:
    """Give the OpenAPI document of all routes `app` has now."""
    from flasgger import NO_SANITIZER, Swagger  # heavy, and needed only here

    template = deepcopy(TEMPLATE)  # flasgger writes into what it is given
    template["components"] = {"schemas": _schemas(), "responses": {"NotAllowed": NOT_ALLOWED}}
    collector = Swagger(
        config={"openapi": "3.0.3", "specs": [{"endpoint": ENDPOINT}]},
        template=template,
        sanitizer=NO_SANITIZER,
    )
    # Not `init_app`: that would register flasgger's own routes (with its old Swagger UI) and an after_request hook.
    collector.app = app
    with app.app_context():
        document = collector.get_apispecs(ENDPOINT)
    plugins.describe(document, app)
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    used = {tag for operation in operations for tag in operation.get("tags", ())}
    document["tags"] = [tag for tag in document["tags"] if tag["name"] in used]
    for operation in operations:
        _split_docstring(operation)
        operation["responses"]["405"] = {"$ref": "#/components/responses/NotAllowed"}
    return dict(document)


def _schemas() -> dict[str, Schema]:
    """Give the schemas of all bodies and answers."""
    schemas = schemas_of(
        [*((model, "validation") for model in BODIES), *((model, "serialization") for model in ANSWERS)]
    )
    # A batch takes anything for a job: what is none comes back with its problem.
    schemas["BatchRequest"]["properties"]["jobs"]["items"] = {"anyOf": [{"$ref": COMPONENTS + "JobRequest"}, {}]}
    return schemas


def _split_docstring(operation: dict[str, Any]) -> None:
    """Part a docstring, which flasgger takes for the summary as a whole, into summary and description."""
    summary, _, description = operation["summary"].partition("\n\n")
    operation["summary"] = summary.rstrip(".")
    if description:
        operation["description"] = " ".join(description.split())
