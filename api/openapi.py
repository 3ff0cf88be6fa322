"""Translates pydantic's JSON Schema (2020-12) into the dialect of OpenAPI 3.0.3.

Stands beside the life of a job: flasgger and its users read 3.0.3, which has `nullable` instead of the type `null` and
no `const`. Next: `documentation.py`, which puts the document together.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

Schema = dict[str, Any]

UNKNOWN = frozenset({"$schema", "$id", "$defs", "patternProperties", "propertyNames", "contentMediaType", "if"})
"""Keywords that 3.0.3 does not have and that can be left out: they only narrow."""


def schemas_of(models: Sequence[tuple[type[BaseModel], JsonSchemaMode]]) -> dict[str, Schema]:
    """Give the schemas of the models and of what they contain, by name, for `#/components/schemas`."""
    _, document = models_json_schema(models, ref_template="#/components/schemas/{model}")
    return {name: translated(schema) for name, schema in document["$defs"].items()}


def translated(schema: Any) -> Any:
    """Translate one schema and all below it."""
    if isinstance(schema, list):
        return [translated(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {key: _part(key, value) for key, value in schema.items() if key not in UNKNOWN}
    if "properties" not in rest:
        rest.pop("title", None)  # pydantic repeats the field's name, in capitals
    for rule in (_constant, _examples, _bounds, _nothing, _reference):
        rest = rule(rest)
    return rest


def _part(key: str, value: Any) -> Any:
    """Translate what stands under a keyword: names of properties are no keywords, and data is left as it is."""
    if key == "properties":
        return {name: translated(part) for name, part in value.items()}
    return value if key in {"default", "enum", "const", "examples"} else translated(value)


def _constant(schema: Schema) -> Schema:
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    return schema


def _examples(schema: Schema) -> Schema:
    examples = schema.pop("examples", None)
    return {**schema, "example": examples[0]} if examples else schema


def _bounds(schema: Schema) -> Schema:
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in schema and not isinstance(schema[exclusive], bool):
            schema[bound], schema[exclusive] = schema[exclusive], True
    return schema


def _nothing(schema: Schema) -> Schema:
    """Turn the type `null` into `nullable`."""
    forms = schema.get("anyOf", [])
    others = [form for form in forms if form != {"type": "null"}]
    if len(others) == len(forms):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf" and (key, value) != ("default", None)}
    if len(others) == 1:
        return {**others[0], **rest, "nullable": True}
    return {**rest, "anyOf": others, "nullable": True}


def _reference(schema: Schema) -> Schema:
    """Put a reference that has neighbours into an `allOf`: 3.0.3 ignores what stands beside a `$ref`."""
    if "$ref" not in schema or len(schema) == 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    return {**rest, "allOf": [{"$ref": schema["$ref"]}]}
