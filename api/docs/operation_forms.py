"""Adds the published operations to the API document: a path with a typed form for each of them.

`document.py` builds the document it starts from; `site.py` serves the result.
"""

import gzip
import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import quote

from api.checks.arguments import published
from api.docs.openapi import COMPONENTS, Schema, translated
from schemas.operations import Operation

TEMPLATE_PATH: Final = "/operations/{name}"
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
    template = _sharing_answers(paths[TEMPLATE_PATH], document["components"]["responses"])
    operations = sorted(operations, key=lambda operation: operation.name)
    for operation in operations:
        schemas.update(_components(operation))
        paths[f"/operations/{quote(operation.name, safe='')}"] = _path(operation, template, schemas)
    for body in CHOICES if operations else ():
        forms = {operation.name: f"{body}.{_slug(operation.name)}" for operation in operations}
        for operation in operations:
            schemas[forms[operation.name]] = _form(schemas[body], operation, names_it=True)
        schemas[body] = {
            "oneOf": [{"$ref": COMPONENTS + form} for form in forms.values()],
            "discriminator": {
                "propertyName": "operation",
                "mapping": {name: COMPONENTS + form for name, form in forms.items()},
            },
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


def _path(operation: Operation, template: Schema, schemas: Schema) -> Schema:
    """Describe an operation's own path: the general description, with the operation's name and form."""
    show, run = deepcopy(template["get"]), deepcopy(template["post"])
    for method in (show, run):
        method["parameters"] = [each for each in method["parameters"] if each["in"] != "path"]
    show.update(tags=[LISTED], summary=f"Look at {operation.name}")
    run["summary"] = operation.summary.rstrip(".") or operation.name
    run["description"] = operation.description
    example = operation.examples[0].arguments if operation.examples else sample_of(operation.arguments)
    body = {"schema": _form(schemas["OperationRequest"], operation), "example": {"arguments": example}}
    run["requestBody"] = {"required": True, "content": {"application/json": body}}
    return {"get": show, "post": run}


def sample_of(schema: Schema) -> dict[str, Any]:
    """Make example arguments from the schema: a value for each required field."""
    parts = schema.get("properties", {})
    return {name: _sample(parts.get(name, {})) for name in schema.get("required", [])}


def _sample(part: Any) -> Any:
    schema = part if isinstance(part, dict) else {}
    for keyword in ("examples", "enum"):
        if schema.get(keyword):
            return schema[keyword][0]
    suggested = {"string": "text", "boolean": True, "array": [], "object": {}}.get(str(schema.get("type")), 1)
    return schema.get("const", schema.get("default", schema.get("minimum", suggested)))


def _form(body: Schema, operation: Operation, *, names_it: bool = False) -> Schema:
    """Return a body's schema with this operation's arguments; `names_it`: and with its name as the only choice."""
    form = deepcopy(body)
    form.pop("description", None)
    form["title"] = operation.name
    form["properties"]["arguments"] = {"$ref": COMPONENTS + _component(operation)}
    if names_it:
        form["properties"]["operation"] = {"type": "string", "enum": [operation.name]}
    if operation.arguments.get("required"):
        form["required"] = [*form.get("required", []), "arguments"]
    return form


def _components(operation: Operation) -> dict[str, Schema]:
    """Return the schema of the operation's arguments and of its parts, by their names in the document."""
    slug = _component(operation)
    rename = partial(_renamed, slug, operation.arguments.get("$defs", {}))
    parts = {f"{slug}.{_slug(name)}": part for name, part in operation.arguments.get("$defs", {}).items()}
    return {name: translated(schema, rename) for name, schema in ({slug: operation.arguments} | parts).items()}


def _renamed(slug: str, parts: Mapping[str, Any], reference: str) -> str | None:
    name = reference.removeprefix("#/$defs/")
    if reference == "#":
        return COMPONENTS + slug
    return f"{COMPONENTS}{slug}.{_slug(name)}" if name in parts and name != reference else None


def _component(operation: Operation) -> str:
    return f"arguments.{_slug(operation.name)}"


def _slug(name: str) -> str:
    """Write a name with the characters that component names may have; different names stay different."""
    slug = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return slug if slug == name else f"{slug}-{blake2b(name.encode(), digest_size=4).hexdigest()}"
