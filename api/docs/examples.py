"""Makes examples for the API document: of an operation's arguments and result, and of a job that ran it.

An example that its schema refuses is left out, whoever wrote it: the document would contradict itself.
"""

from typing import Any, Final

from api.checks.json_schema import compiled
from api.docs.openapi import Schema
from schemas.operations import Operation

PLACEHOLDERS: Final = {"string": "text", "boolean": True, "array": [], "null": None}
"""A value of each type that needs no further thought."""
MAX_DEPTH: Final = 8
"""Levels of an object that is made up; a schema may refer to itself."""


def example_arguments(operation: Operation) -> Any:
    """Return the arguments of the operation's first example, or what its schema requires; None if neither fits it."""
    return _first_fitting(operation.arguments, [example.arguments for example in operation.examples[:1]])


def example_job(job: Schema, operation: Operation) -> Schema | None:
    """Return `job`, an example of any job, as one of this operation; None if its arguments are beyond us."""
    arguments = example_arguments(operation)
    if arguments is None:
        return None
    results = [example.result for example in operation.examples[:1] if example.result is not None]
    result = _first_fitting(operation.result, results)
    own = {"operation": operation.name, "arguments": arguments, "result": result, "progress": None}
    return {name: own.get(name, value) for name, value in job.items()}


def _first_fitting(schema: Schema, values: list[Any]) -> Any:
    """Return the first of the values that the schema accepts, or else a value made from the schema, or else None."""
    try:
        accepts = compiled(schema).is_valid
    except ValueError:
        return None
    return next((value for value in [*values, sample_of(schema)] if accepts(value)), None)


def sample_of(schema: Schema) -> Any:
    """Make a value from a schema; an object has a value for each required field."""
    return _sample(schema, schema.get("$defs", {}), MAX_DEPTH)


def _sample(part: Any, definitions: Schema, depth: int) -> Any:
    schema = part if isinstance(part, dict) else {}
    for keyword in ("examples", "enum"):
        if schema.get(keyword):
            return schema[keyword][0]
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    inner = [definitions.get(name), *(each for word in ("anyOf", "oneOf", "allOf") for each in schema.get(word, ()))]
    if "type" not in schema and (known := [each for each in inner if each]) and depth:
        return _sample(known[0], definitions, depth - 1)
    if schema.get("type") == "object" or "properties" in schema:
        parts = schema.get("properties", {})
        wanted = schema.get("required", []) if depth else []
        return {field: _sample(parts.get(field), definitions, depth - 1) for field in wanted}
    return schema.get("minimum", PLACEHOLDERS.get(str(schema.get("type")), 1))
