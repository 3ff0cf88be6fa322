"""Puts the API document together, once for each app: flasgger collects what the views say, the models are the schemas.

Stands beside the life of a job. Next: `pages.py`, which serves the document and the page that shows it.
"""

import json
from copy import deepcopy
from importlib.metadata import version
from typing import Any, Final

from flask import Flask

from api.openapi import schemas_of
from schemas.jobs import Accepted, Job
from schemas.problems import Problem
from schemas.requests import ComputeRequest, JobRequest

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
        {"name": "jobs", "description": "Hand in work, look how it is doing."},
        {"name": "health", "description": "For those who run this service."},
        {"name": "documentation", "description": "This page and what it is made of."},
    ],
}


def document_of(app: Flask) -> bytes:
    """Give the OpenAPI document of all routes `app` has now, as JSON."""
    from flasgger import NO_SANITIZER, Swagger  # heavy, and needed only here

    template = deepcopy(TEMPLATE)  # flasgger writes into what it is given
    template["components"] = {
        "schemas": schemas_of(
            [
                (ComputeRequest, "validation"),
                (JobRequest, "validation"),
                (Accepted, "serialization"),
                (Job, "serialization"),
                (Problem, "serialization"),
            ]
        )
    }
    collector = Swagger(
        config={"openapi": "3.0.3", "specs": [{"endpoint": ENDPOINT}]},
        template=template,
        sanitizer=NO_SANITIZER,
    )
    # Not `init_app`: that would register flasgger's own routes (with its old Swagger UI) and an after_request hook.
    collector.app = app
    with app.app_context():
        document = collector.get_apispecs(ENDPOINT)
    for path in document["paths"].values():
        for operation in path.values():
            _split_docstring(operation)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _split_docstring(operation: dict[str, Any]) -> None:
    """Part a docstring, which flasgger takes for the summary as a whole, into summary and description."""
    summary, _, description = operation["summary"].partition("\n\n")
    operation["summary"] = summary.rstrip(".")
    if description:
        operation["description"] = " ".join(description.split())
