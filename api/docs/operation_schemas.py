"""Makes an operation's own schemas in the API document: its arguments, result, bodies, and the job that runs it.

`operation_forms.py` refers to them.
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from typing import Final

from api.checks.json_schema import compiled
from api.docs.examples import example_job
from api.docs.names import UniqueNames
from api.docs.openapi import COMPONENTS, Schema, translated
from schemas.operations import Operation

BODIES: Final = {"OperationRequest": "Request", "JobRequest": "JobRequest", "ScheduleRequest": "ScheduleRequest"}
"""Request bodies with arguments, and how the name of an operation's own form of it ends."""
FORMS: Final = ("{}Arguments", "{}Result", "{}Job", *(f"{{}}{end}" for end in BODIES.values()), "run{}", "describe{}")
"""The names that the document has for each operation."""


def own_schemas(operation: Operation, prefix: str, names: UniqueNames, general: Mapping[str, Schema]) -> Schema:
    """Return the schemas of an operation by their names, which begin with `prefix`; `general`: those of any."""
    arguments = f"{prefix}Arguments"
    schemas = _components(operation.arguments, arguments, names)
    for body, end in BODIES.items():
        names_it = "operation" in general[body]["properties"]
        schemas[prefix + end] = _form(general[body], operation, arguments, names_it=names_it)
    result = f"{prefix}Result" if _is_usable(operation.result) else None
    if result:
        schemas |= _components(operation.result, result, names)
    return schemas | {f"{prefix}Job": _job(general["Job"], operation, arguments, result)}


def _form(body: Schema, operation: Operation, arguments: str, *, names_it: bool) -> Schema:
    """Return a body's schema with this operation's arguments; `names_it`: and with its name as the only choice."""
    form = deepcopy(body)
    form["properties"]["arguments"] = {"$ref": COMPONENTS + arguments}
    if names_it:
        form["properties"]["operation"] = {"type": "string", "enum": [operation.name]}
    if operation.arguments.get("required"):
        form["required"] = [*form.get("required", []), "arguments"]
    return form


def _job(job: Schema, operation: Operation, arguments: str, result: str | None) -> Schema:
    """Return a job's schema with this operation's arguments and result, and an example of it."""
    own = deepcopy(job)
    own["description"] = f"The current state of a job of {operation.name}."
    own["properties"]["operation"] = {"type": "string", "enum": [operation.name]}
    own["properties"]["arguments"] = {"$ref": COMPONENTS + arguments}
    if result:
        forms = {"anyOf": [{"$ref": COMPONENTS + result}, {"type": "null"}]}
        own["properties"]["result"] = translated(own["properties"]["result"] | forms)
    if example := example_job(own.pop("example"), operation):
        own["example"] = example
    return own


def _is_usable(result: Schema) -> bool:
    """Return whether a result's schema says something. Nothing but this document reads it, so it may be invalid."""
    try:
        compiled(result)
    except ValueError:
        return False
    return bool(result)


def _components(schema: Schema, name: str, names: UniqueNames) -> dict[str, Schema]:
    """Return a schema and its parts, by their names in the document."""
    parts = {part: name + names.claim(part, name + "{}") for part in schema.get("$defs", {})}
    rename = partial(_renamed, name, parts)
    own = {name: translated(schema, rename)}
    return own | {parts[part]: translated(each, rename) for part, each in schema.get("$defs", {}).items()}


def _renamed(name: str, parts: Mapping[str, str], reference: str) -> str | None:
    if reference == "#":
        return COMPONENTS + name
    part = parts.get(reference.removeprefix("#/$defs/"))
    return COMPONENTS + part if part and reference.startswith("#/$defs/") else None
