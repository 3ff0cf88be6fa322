"""Checks how plug-ins describe their routes: what would make the document invalid stops the start with a sentence.

`document.py` asks it before flasgger reads the descriptions, and once more when the document is complete.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask import Flask
from jsonschema_rs import Draft4Validator, RegexOptions, ValidationError

from api.docs.plugin_views import PluginView, plugin_views
from errand.errors import SettingsRefused
from errand.plugins import refusal

KNOWN: Final = frozenset(
    {
        *("summary", "description", "tags", "operationId", "parameters", "requestBody", "responses", "callbacks"),
        *("deprecated", "security", "externalDocs", "components", "definitions"),
        *("get", "post", "put", "delete", "patch"),
    }
)
"""What flasgger reads of a description; it passes over anything else in silence."""
SHAPES: Final[Mapping[str, tuple[type, str]]] = {
    "parameters": (list, "a list"),
    "responses": (dict, "an object"),
    "requestBody": (dict, "an object"),
}
PLACES: Final = ("path", "query", "header", "cookie")
QUOTES: Final = "OpenAPI 3.0 doesn't know this there; a text with a comma or a colon needs quotes"
UNDESCRIBED: Final = "has no documentation for Swagger UI; give its view a docstring with --- and `responses` below"


def check_descriptions(app: Flask) -> None:
    """Raise SettingsRefused for a description that flasgger would choke on, or pass over."""
    for view in plugin_views(app):
        description = view.description()
        if description is not None:
            _check_description(view, description)


def check_operations(document: dict[str, Any], own: Mapping[str, Any], app: Flask) -> None:
    """Raise SettingsRefused for a route of a plug-in that the document lacks, or that makes it invalid.

    `own`: Errand's schemas, by name; plug-ins may add others.
    """
    for view in plugin_views(app):
        operation = document["paths"].get(view.path, {}).get(view.method)
        if operation is None:
            raise _refused(view, UNDESCRIBED)
        if fault := next(_faults(json.loads(json.dumps(operation)), view, document), None):
            raise _refused(view, fault)
    for name, schema in document["components"]["schemas"].items():
        if own.get(name, schema) != schema:
            raise refusal(f"a plug-in describes a schema {name}, but Errand has one of that name; choose another name")
        if name not in own and (fault := next(_schema_faults("Schema", schema), None)):
            raise refusal(f"the schema {name} of a plug-in is not valid: {fault}")


def _check_description(view: PluginView, description: Any) -> None:
    answers = isinstance(description, dict) and (description.get(view.method) or description).get("responses")
    if not answers:
        raise _refused(view, UNDESCRIBED)
    unknown = [name for name in description if name not in KNOWN and not str(name).startswith("x-")]
    if unknown:
        raise _refused(view, f"has `{unknown[0]}`: {QUOTES}")
    for name, (shape, words) in SHAPES.items():
        if not isinstance(description.get(name, shape()), shape):
            raise _refused(view, f"{name} must be {words}")
    for name, part in (*_items(description, "parameters"), *_items(description, "responses")):
        if not isinstance(part, dict):
            raise _refused(view, f"{name} must be an object")


def _items(description: dict[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    parts = description.get(name, ())
    pairs = parts.items() if isinstance(parts, dict) else enumerate(parts)
    yield from ((f"{name}/{key}", part) for key, part in pairs)


def _faults(operation: dict[str, Any], view: PluginView, document: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a plug-in's operation in the document."""
    yield from _schema_faults("Operation", operation)
    named = {each["name"] for each in operation.get("parameters", ()) if each.get("in") == "path"}
    yield from (f"doesn't document {name}; add it to `parameters`, with `in: path`" for name in view.arguments - named)
    yield from (f"documents {name}, but its path has no such part" for name in named - view.arguments)
    for reference in _references(operation):
        if not _leads_somewhere(reference, document):
            yield f"refers to `{reference}`, which this document doesn't have"


def _schema_faults(kind: str, part: Any) -> Iterator[str]:
    """Yield what is wrong with a part of a document: an `Operation` or a `Schema` of OpenAPI 3.0."""
    for error in _validator_of(kind).iter_errors(part):
        yield _sentence(list(_leaves(error)) or [error])


@cache
def _validator_of(kind: str) -> Draft4Validator:
    schema = json.loads(Path(__file__).with_name("openapi-3.0.json").read_text(encoding="utf-8"))
    part = {"definitions": schema["definitions"], "$ref": f"#/definitions/{kind}"}
    return Draft4Validator(part, offline=True, pattern_options=RegexOptions())


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the errors from which a verdict follows, without those of forms that weren't meant."""
    branches = error.kind.as_dict().get("context")
    if branches is None:
        if not _is_of_another_form(error):
            yield error
        return
    for branch in branches:
        for inner in branch:
            yield from _leaves(inner)


def _is_of_another_form(error: ValidationError) -> bool:
    """Return whether an error only says that a part is no reference, or a parameter of another place."""
    if error.kind.name == "required":
        return bool(error.kind.as_dict()["property"] == "$ref")
    return bool(error.kind.name == "enum" and error.instance_path[-1:] == ["in"] and error.instance in PLACES)


def _sentence(errors: list[ValidationError]) -> str:
    """Say what the deepest of these errors says: a form that fits further is the one that was meant."""
    error = max(errors, key=lambda each: len(each.instance_path))
    place = "/".join(map(str, error.instance_path)) or "the description"
    details = error.kind.as_dict()
    match error.kind.name:
        case "additionalProperties":
            return f"{place} has `{details['unexpected'][0]}`: {QUOTES}"
        case "required":
            return f"{place} lacks `{details['property']}`"
        case "enum" if error.instance_path[-1:] == ["in"]:
            return f"{place} must be one of {', '.join(PLACES)}"
        case _:
            return f"{place}: {error.message}"


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _references(each)


def _leads_somewhere(reference: str, document: dict[str, Any]) -> bool:
    here, *steps = reference.split("/")
    found: Any = document
    for step in steps:
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return here == "#" and found is not None


def _refused(view: PluginView, fault: str) -> SettingsRefused:
    return refusal(f"{view.place}: {fault}")
