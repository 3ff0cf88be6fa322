"""Builds the API document, once for each app: flasgger collects the views' descriptions, the models give the schemas.

`operation_forms.py` adds the published operations to it.
"""

from copy import deepcopy
from importlib.metadata import version
from typing import Any, Final

from flask import Flask
from pydantic import BaseModel

from api import plugins
from api.docs.completion import SHARED_RESPONSES, complete, operations_of
from api.docs.openapi import COMPONENTS, Schema, schemas_of
from api.docs.plugin_check import check_descriptions, check_operations
from errand.plugins import refusal
from schemas.jobs import Accepted, Attempts, Batch, Job, Jobs
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
            "POST a job and get `202 accepted` at once. Workers run it, keep its result and mail it. "
            "**An accepted job is never lost, never finished twice, and its owner is notified.**"
        ),
        "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
    },
    "security": [],  # there are no keys yet
    "tags": [
        {"name": "jobs", "description": "Submit jobs, look at them, cancel them, run them again."},
        {"name": "operations", "description": "The operations that the workers can run now, with a form for each."},
        {"name": "schedules", "description": "Run jobs repeatedly, by cron expressions in any time zone."},
        {"name": "events", "description": "Follow jobs live: changes of status, progress and log lines."},
        {
            "name": "mail",
            "description": "The pages behind the links in mails. The link is all that is needed to open them.",
        },
        {"name": "mailbox", "description": "Read the caught mails. For development only, if `MAILBOX` is set."},
        {"name": "health", "description": "For operators: health checks and metrics."},
        {"name": "documentation", "description": "This page, and the OpenAPI document and files it is made of."},
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
    Attempts,
    Retried,
    Operation,
    Operations,
    Schedule,
    ScheduleList,
    Problem,
)


def build_document(app: Flask, public_url: str = "") -> Schema:
    """Return the OpenAPI document of all routes that `app` has now.

    `public_url`: where clients reach it; empty: where they read the document. Raises SettingsRefused for a plug-in's
    description that is not valid.
    """
    from flasgger import NO_SANITIZER, Swagger  # heavy, and needed only here

    template = deepcopy(TEMPLATE)  # flasgger modifies its template
    template["servers"] = [{"url": public_url.rstrip("/") or "/"}]
    schemas = _schemas()
    template["components"] = {"schemas": deepcopy(schemas), "responses": deepcopy(SHARED_RESPONSES)}
    collector = Swagger(
        config={"openapi": "3.0.3", "specs": [{"endpoint": ENDPOINT}]},
        template=template,
        sanitizer=NO_SANITIZER,
    )
    # not `init_app`, which would register flasgger's own routes (with its old Swagger UI) and an after_request hook
    collector.app = app
    check_descriptions(app)
    document = _collected(collector, app)
    plugins.describe(document, app)
    complete(document, app)
    check_operations(document, schemas, app)
    used = {tag for _, _, operation in operations_of(document) for tag in operation.get("tags", ())}
    document["tags"] = [tag for tag in document["tags"] if tag["name"] in used]
    return dict(document)


def _collected(collector: Any, app: Flask) -> dict[str, Any]:
    """Have flasgger collect the views' descriptions. Raises SettingsRefused if one of a plug-in is too much for it."""
    try:
        with app.app_context():
            return dict(collector.get_apispecs(ENDPOINT))
    except Exception as fault:
        if not app.extensions.get(plugins.EXTENSION):
            raise
        raise refusal(f"flasgger can't read how a plug-in describes its routes ({fault!r})") from fault


def _schemas() -> dict[str, Schema]:
    """Return the schemas of all request bodies and responses."""
    schemas = schemas_of(
        [*((model, "validation") for model in BODIES), *((model, "serialization") for model in ANSWERS)]
    )
    # a batch takes any item, and answers an invalid one with its problem; but clients are to send valid ones
    schemas["BatchRequest"]["properties"]["jobs"]["items"] = {"$ref": COMPONENTS + "JobRequest"}
    return schemas
