"""Translates JSON Schema (2020-12), pydantic's and the operations' own, into the dialect of OpenAPI 3.0.3.

Stands beside the life of a job: flasgger and its users read 3.0.3, which has `nullable` instead of the type `null`, no
`const` and half of the other keywords. What it can't say is left out, so that it allows no less than the schema does.
Next: `document.py`, which puts the document together.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

Schema = dict[str, Any]
Rename = Callable[[str], str | None]
"""Tells for a reference as it is written where the same stands in the document; None: nowhere."""

COMPONENTS: Final = "#/components/schemas/"
DATA: Final = frozenset({"default", "enum", "required", "example"})
"""Keywords below which nothing is a schema."""
BOUNDS: Final = (("exclusiveMinimum", "minimum", max), ("exclusiveMaximum", "maximum", min))
KNOWN: Final = DATA | {
    *("title", "description", "type", "format", "nullable", "deprecated", "readOnly", "writeOnly"),
    *("multipleOf", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minLength", "maxLength", "pattern"),
    *("items", "minItems", "maxItems", "uniqueItems", "properties", "additionalProperties"),
    *("minProperties", "maxProperties", "allOf", "anyOf", "oneOf", "not"),
}
"""The keywords of a schema in 3.0.3."""
PLAIN: Final = frozenset({"type", "properties", "required", "minLength", "maxLength", "pattern", "minimum", "maximum"})
TYPES: Final = (None, "string", "number", "integer", "boolean", "object")
"""Those that mean the same in both, and the types for which that is so."""


def schemas_of(models: Sequence[tuple[type[BaseModel], JsonSchemaMode]]) -> dict[str, Schema]:
    """Give the schemas of the models and of what they contain, by name, for `#/components/schemas`."""
    _, document = models_json_schema(models, ref_template=COMPONENTS + "{model}")
    return {name: translated(schema) for name, schema in document["$defs"].items()}


def translated(schema: Any, rename: Rename = lambda reference: reference) -> Any:
    """Translate one schema and all below it."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    rest = _alternatives(_types(_constant(dict(schema))))
    if "patternProperties" in rest:
        rest.pop("additionalProperties", None)  # without the patterns it would forbid what they allow
    if "prefixItems" in rest:
        rest["items"] = {}  # it speaks of what comes after these
    rest = _examples(_bounds(_denial(rest)))
    reference = rest.pop("$ref", None)
    if "properties" not in rest:
        rest.pop("title", None)  # pydantic repeats the field's name, in capitals
    rest = {key: _part(key, value, rename) for key, value in rest.items() if key in KNOWN or key.startswith("x-")}
    if rest.get("type") == "array":
        rest.setdefault("items", {})
    if not rest.get("required", True):
        del rest["required"]
    target = reference and rename(reference)
    return _nullable(_referring(target, rest) if target else _single(rest))


def _part(key: str, value: Any, rename: Rename) -> Any:
    """Translate what stands under a keyword: names of properties are no keywords, and data is left as it is."""
    if key == "properties":
        return {name: translated(part, rename) for name, part in value.items()}
    if key in {"allOf", "anyOf"}:
        return [translated(part, rename) for part in value]
    if key in {"items", "not"} or (key == "additionalProperties" and not isinstance(value, bool)):
        return translated(value, rename)
    return value


def _constant(schema: Schema) -> Schema:
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    if None in schema.get("enum", ()):
        schema["nullable"] = True
    return schema


def _types(schema: Schema) -> Schema:
    """Write a list of types as alternatives, and the type `null` as `nullable`."""
    types = schema.get("type")
    if types == "null":
        del schema["type"]
        return {**schema, "enum": [None], "nullable": True}
    if not isinstance(types, list):
        return schema
    others = [name for name in types if name != "null"]
    del schema["type"]
    if "null" in types:
        schema["nullable"] = True
    if len(others) == 1:
        return {**schema, "type": others[0]}
    return {**schema, "allOf": [*schema.get("allOf", []), {"anyOf": [{"type": name} for name in others]}]}


def _alternatives(schema: Schema) -> Schema:
    """Let at least one form do where exactly one was asked for, and write the form `null` as `nullable`.

    Forms become wider here, so that a value may fit two.
    """
    if "oneOf" in schema:
        forms = schema.pop("oneOf")
        if "anyOf" in schema:
            schema["allOf"] = [*schema.get("allOf", []), {"anyOf": forms}]
        else:
            schema["anyOf"] = forms
    forms = schema.get("anyOf", [])
    others = [form for form in forms if form != {"type": "null"}]
    if len(others) < len(forms):
        schema["nullable"] = True
        if schema.get("default", ...) is None:
            del schema["default"]
        schema["anyOf"] = others or [{"enum": [None]}]
    return schema


def _denial(schema: Schema) -> Schema:
    """Drop a `not` of which something might be left out: it would forbid more."""
    if "not" in schema and not _is_plain(schema["not"]):
        del schema["not"]
    return schema


def _is_plain(schema: Any) -> bool:
    """Tell whether a schema is the same in both dialects, whatever it says."""
    if isinstance(schema, bool):
        return True
    parts = schema.get("properties", {}).values()
    return schema.keys() <= PLAIN and schema.get("type") in TYPES and all(_is_plain(part) for part in parts)


def _examples(schema: Schema) -> Schema:
    examples = schema.pop("examples", None)
    return {**schema, "example": examples[0]} if examples else schema


def _bounds(schema: Schema) -> Schema:
    for exclusive, bound, tighter in BOUNDS:
        limit = schema.pop(exclusive, None)
        if limit is not None and tighter(limit, schema.get(bound, limit)) == limit:
            schema[bound], schema[exclusive] = limit, True
    return schema


def _single(schema: Schema) -> Schema:
    """Write a choice of one form as that form."""
    if len(forms := schema.get("anyOf", ())) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if "$ref" in forms[0]:
        return _referring(forms[0]["$ref"], rest)
    return {**forms[0], **rest} if not forms[0].keys() & rest.keys() - {"description", "example"} else schema


def _nullable(schema: Schema) -> Schema:
    """Name null among the values there may be, where it is one of them."""
    if schema.get("nullable") and None not in (values := schema.get("enum", [None])):
        schema["enum"] = [*values, None]
    return schema


def _referring(target: str, rest: Schema) -> Schema:
    """Put a reference that has neighbours into an `allOf`: 3.0.3 ignores what stands beside a `$ref`."""
    if not rest:
        return {"$ref": target}
    return {**rest, "allOf": [*rest.get("allOf", []), {"$ref": target}]}
