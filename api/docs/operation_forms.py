"""Adds the published operations to the API document: a path with a typed form for each of them.

`document.py` builds the document it starts from; `site.py` serves the result.
"""

import gzip
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import quote

from api.checks.arguments import published
from api.docs.examples import example_arguments
from api.docs.names import UniqueNames
from api.docs.openapi import COMPONENTS, Schema
from api.docs.operation_schemas import FORMS, own_schemas
from schemas.operations import Operation

TEMPLATE_PATH: Final = "/operations/{name}"
JOB_PATH: Final = "/jobs/{job_id}"
CHOICES: Final = ("JobRequest", "ScheduleRequest")
"""Request bodies that name an operation: each becomes a choice among the operations' forms."""
LISTED: Final = "operations"
"""Tag of the requests that show an operation."""


@dataclass(frozen=True, slots=True)
class RenderedDocument:
    """A document as bytes, and its ETag."""

    content: bytes
    gzipped: bytes
    etag: str


class Document:
    """The API document with the published operations. Safe to share among threads."""

    def __init__(self, base: Schema) -> None:
        """Start from `base`, the document without operations."""
        self._base = base
        self.plain = rendered(base)
        self._last: tuple[Mapping[str, str], RenderedDocument] = ({}, self.plain)

    def of(self, texts: Mapping[str, str]) -> RenderedDocument:
        """Return the document with these operations (JSON text by name); the latest one is cached."""
        seen, document = self._last
        if texts != seen:
            document = rendered(with_operations(self._base, [published(text).operation for text in texts.values()]))
            self._last = (texts, document)
        return document


def rendered(document: Schema) -> RenderedDocument:
    """Write a document as JSON, plain and compressed."""
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return RenderedDocument(content, gzip.compress(content, 6, mtime=0), blake2b(content, digest_size=10).hexdigest())


def with_operations(base: Schema, operations: list[Operation]) -> Schema:
    """Return the document with a path for each operation, and with its arguments in every body that names it."""
    document = deepcopy(base)
    schemas, paths = document["components"]["schemas"], document["paths"]
    finished = paths[TEMPLATE_PATH]["post"]["responses"]["200"]
    template = _sharing_answers(paths[TEMPLATE_PATH], document["components"]["responses"])
    ids = [method["operationId"] for path in paths.values() for method in path.values()]
    names = UniqueNames([*schemas, *ids])
    prefixes: dict[str, str] = {}
    for operation in sorted(operations, key=lambda operation: operation.name):
        prefix = prefixes[operation.name] = names.claim(operation.name, *FORMS)
        schemas.update(own_schemas(operation, prefix, names, schemas))
        paths[f"/operations/{quote(operation.name, safe='')}"] = _path(operation, prefix, template, finished)
    jobs = {name: schemas[f"{prefix}Job"] for name, prefix in prefixes.items()}
    _show_examples(paths[JOB_PATH], {name: job["example"] for name, job in jobs.items() if "example" in job})
    for body in CHOICES if prefixes else ():
        forms = {name: f"{COMPONENTS}{prefix}{body}" for name, prefix in prefixes.items()}
        schemas[body] = {
            "oneOf": [{"$ref": form} for form in forms.values()],
            "discriminator": {"propertyName": "operation", "mapping": forms},
        }
    return document


def _sharing_answers(path: Schema, components: Schema) -> Schema:
    """Return the path with references to its responses, so that the document has each response only once."""
    for method, described in path.items():
        for status, answer in described["responses"].items():
            if "$ref" not in answer:
                name = f"{method.capitalize()}Operation{status}"
                components[name] = answer
                described["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    return path


def _path(operation: Operation, prefix: str, template: Schema, finished: Schema) -> Schema:
    """Describe an operation's own path: the general one, with its name, its form and its finished job."""
    show, run = deepcopy(template["get"]), deepcopy(template["post"])
    for method in (show, run):
        method["parameters"] = [each for each in method["parameters"] if each["in"] != "path"]
    show.update(tags=[LISTED], summary=f"Look at {operation.name}", operationId=f"describe{prefix}")
    run.update(operationId=f"run{prefix}", summary=operation.summary.rstrip(".") or operation.name)
    run["description"] = operation.description
    body: Schema = {"schema": {"$ref": f"{COMPONENTS}{prefix}Request"}}
    if (arguments := example_arguments(operation)) is not None:
        body["example"] = {"arguments": arguments}
    run["requestBody"] = {"required": True, "content": {"application/json": body}}
    content = {"application/json": {"schema": {"$ref": f"{COMPONENTS}{prefix}Job"}}}
    run["responses"]["200"] = {**finished, "content": content}
    return {"get": show, "post": run}


def _show_examples(path: Schema, examples: Mapping[str, Any]) -> None:
    """Show a finished job of each operation at the path of any job."""
    if examples:
        content = path["get"]["responses"]["200"]["content"]["application/json"]
        content["examples"] = {name: {"summary": f"A job of {name}", "value": job} for name, job in examples.items()}
