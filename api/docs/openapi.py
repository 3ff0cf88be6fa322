"""Translates JSON Schema (2020-12), pydantic's and the operations' own, into the dialect of OpenAPI 3.0.3.

flasgger reads and writes 3.0.3, which has `nullable` instead of the type `null`, no `const`, and only half of the other
keywords. A constraint that 3.0.3 can't express is left out, so the translation never rejects what the schema accepts.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from schemas.key_order import KeysAsGiven

Schema = dict[str, Any]
Rename = Callable[[str], str | None]
"""Maps a reference in a schema to the reference in the document; None if the document has no such part."""

COMPONENTS: Final = "#/components/schemas/"
DATA: Final = frozenset({"enum", "required", "example"})
"""Keywords whose values contain no schemas."""
BOUNDS: Final = (("exclusiveMinimum", "minimum", max, 1), ("exclusiveMaximum", "maximum", min, -1))
KNOWN: Final = DATA | {
    *("description", "type", "format", "nullable", "deprecated", "readOnly", "writeOnly"),
    *("multipleOf", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minLength", "maxLength", "pattern"),
    *("items", "minItems", "maxItems", "uniqueItems", "properties", "additionalProperties"),
    *("minProperties", "maxProperties", "allOf", "anyOf", "oneOf", "not"),
}
"""The keywords of a schema in OpenAPI 3.0.3, but for `title`: generators of clients name classes by it."""
NULL: Final[Schema] = {"type": "object", "enum": [None], "nullable": True}
"""Only null. 3.0.3 has no such type, and gives `nullable` no meaning without one."""
MAX_WORDS: Final = 120
"""Characters of the longest default that is written into a description."""
ANNOTATIONS: Final = frozenset({"description", "example", "deprecated", "readOnly", "writeOnly"})
"""Keywords that allow and forbid nothing."""
PLAIN: Final = frozenset(
    {"type", "enum", "properties", "required", "minLength", "maxLength", "pattern", "minimum", "maximum"}
)
TYPES: Final = (None, "string", "number", "integer", "boolean", "object")
"""Keywords that mean the same in both dialects, and the types for which they do."""


def schemas_of(models: Sequence[tuple[type[BaseModel], JsonSchemaMode]]) -> dict[str, Schema]:
    """Return the schemas of the models and of their parts, by name, for `#/components/schemas`."""
    _, document = models_json_schema(models, ref_template=COMPONENTS + "{model}", schema_generator=KeysAsGiven)
    return {name: translated(schema) for name, schema in document["$defs"].items()}


def translated(schema: Any, rename: Rename = lambda reference: reference) -> Any:
    """Translate a schema and all schemas inside it."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    rest = _alternatives(_types(_constant(dict(schema))))
    if "patternProperties" in rest:
        rest.pop("additionalProperties", None)  # without the patterns it would reject what they accept
    if "prefixItems" in rest:
        rest["items"] = {}  # in 2020-12 it describes only the items after the prefix
    rest = _default_in_words(_examples(_bounds(_denial(rest))))
    reference = rest.pop("$ref", None)
    rest = {key: _part(key, value, rename) for key, value in rest.items() if key in KNOWN or key.startswith("x-")}
    if rest.get("type") == "array":
        rest.setdefault("items", {})
    if not rest.get("required", True):
        del rest["required"]
    target = reference and rename(reference)
    return _nullable(_referring(target, rest) if target else _single(rest))


def _part(key: str, value: Any, rename: Rename) -> Any:
    """Translate a keyword's value: names of properties are no keywords, and data stays as it is."""
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
        return {**schema, **NULL}
    if not isinstance(types, list):
        return schema
    non_null = [name for name in types if name != "null"]
    del schema["type"]
    if "null" in types:
        schema["nullable"] = True
    if len(non_null) == 1:
        return {**schema, "type": non_null[0]}
    return {**schema, "allOf": [*schema.get("allOf", []), {"anyOf": [{"type": name} for name in non_null]}]}


def _alternatives(schema: Schema) -> Schema:
    """Write `oneOf` as `anyOf`, and the alternative `null` as `nullable`.

    The translation makes alternatives wider, so a value may match two of them.
    """
    if "oneOf" in schema:
        forms = schema.pop("oneOf")
        if "anyOf" in schema:
            schema["allOf"] = [*schema.get("allOf", []), {"anyOf": forms}]
        else:
            schema["anyOf"] = forms
    forms = schema.get("anyOf", [])
    non_null = [form for form in forms if form != {"type": "null"}]
    if len(non_null) < len(forms):
        schema["nullable"] = True
        schema["anyOf"] = non_null or [NULL]
    return schema


def _denial(schema: Schema) -> Schema:
    """Drop a `not` that can't be translated exactly: it would reject more than the original."""
    if "not" in schema and not _is_plain(schema["not"]):
        del schema["not"]
    return schema


def _is_plain(schema: Any) -> bool:
    """Return whether a schema means the same in both dialects."""
    if isinstance(schema, bool):
        return True
    parts = schema.get("properties", {}).values()
    return schema.keys() <= PLAIN and schema.get("type") in TYPES and all(_is_plain(part) for part in parts)


def _examples(schema: Schema) -> Schema:
    examples = schema.pop("examples", None)
    return {**schema, "example": examples[0]} if examples else schema


def _default_in_words(schema: Schema) -> Schema:
    """Write a default into the description.

    openapi-typescript takes a field with a default for one that each body has, and openapi-python-client drops a
    request in which a default stands beside a reference.
    """
    default = schema.pop("default", None)
    words = "" if default in (None, "", [], {}) else f"Default: `{json.dumps(default, ensure_ascii=False)}`."
    if not words or len(words) > MAX_WORDS:
        return schema
    return {**schema, "description": " ".join(filter(None, [schema.get("description"), words]))}


def _bounds(schema: Schema) -> Schema:
    """Write an exclusive bound as a bound and a value that is not allowed, or as the next integer.

    3.0.3 has `exclusiveMinimum: true` beside `minimum`, at which openapi-typescript warns: its validator knows only
    the newer form.
    """
    excluded = []
    for exclusive, bound, tighter, step in BOUNDS:
        limit = schema.pop(exclusive, None)
        if limit is None or tighter(limit, schema.get(bound, limit)) != limit:
            continue
        if schema.get("type") == "integer" and isinstance(limit, int):
            schema[bound] = tighter(limit + step, schema.get(bound, limit + step))
        else:
            schema[bound] = limit
            excluded.append(limit)
    if not excluded:
        return schema
    if "not" in schema:
        return {**schema, "allOf": [*schema.get("allOf", []), {"not": {"enum": excluded}}]}
    return {**schema, "not": {"enum": excluded}}


def _single(schema: Schema) -> Schema:
    """Replace a choice of one alternative by that alternative."""
    if len(forms := schema.get("anyOf", ())) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if "$ref" in forms[0]:
        return _referring(forms[0]["$ref"], rest)
    return {**forms[0], **rest} if not forms[0].keys() & rest.keys() - {"description", "example"} else schema


def _nullable(schema: Schema) -> Schema:
    """Allow null in one schema: 3.0.3 has `nullable` only beside a `type`, and no other keyword there may forbid null.

    Without a type, an `enum` names null itself, and a schema that forbids nothing allows null anyway.
    """
    if not schema.get("nullable"):
        return schema
    if None not in (values := schema.get("enum", [None])):
        schema["enum"] = [*values, None]
    if not schema.keys() & {"allOf", "anyOf"}:
        return schema if "type" in schema else {key: value for key, value in schema.items() if key != "nullable"}
    notes = {key: value for key, value in schema.items() if key in ANNOTATIONS}
    rest = {key: value for key, value in schema.items() if key not in ANNOTATIONS and key != "nullable"}
    forms = rest["anyOf"] if rest.keys() == {"anyOf"} else rest["allOf"] if _is_reference(rest) else [rest]
    return {**notes, "anyOf": [*forms, NULL]}


def _is_reference(schema: Schema) -> bool:
    """Return whether a schema is only a reference, as `_referring` writes one with siblings."""
    return schema.keys() == {"allOf"} and len(schema["allOf"]) == 1


def _referring(target: str, rest: Schema) -> Schema:
    """Put a reference with sibling keywords into an `allOf`: 3.0.3 ignores the siblings of a `$ref`."""
    if not rest:
        return {"$ref": target}
    return {**rest, "allOf": [*rest.get("allOf", []), {"$ref": target}]}
