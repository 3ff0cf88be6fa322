"""A quick yes to arguments that fit their JSON Schema: pydantic's core is far faster at it than jsonschema.

Stands at step 1 of a job's life, in front of `arguments.py`. It only ever says yes: what it does not say yes to, and
every schema it can't write in pydantic's terms exactly, is left to jsonschema, which also finds the words for a no.
"""

from math import inf, nextafter
from typing import Any, Final

from pydantic_core import SchemaError, SchemaValidator

Schema = dict[str, Any]

SILENT: Final = frozenset({"title", "description", "default", "examples", "deprecated", "$schema", "$defs"})
"""Keywords that narrow nothing."""
KNOWN: Final[dict[str, dict[str, str]]] = {
    "null": {},
    "boolean": {},
    "string": {"minLength": "min_length", "maxLength": "max_length"},
    "integer": {
        "minimum": "ge",
        "maximum": "le",
        "exclusiveMinimum": "gt",
        "exclusiveMaximum": "lt",
        "multipleOf": "multiple_of",
    },
    "number": {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt"},
    "array": {"minItems": "min_length", "maxItems": "max_length"},
}
"""Type of JSON Schema to those of its keywords that have the same meaning in pydantic's core, and their names there."""
CORE: Final[dict[str, Schema]] = {
    "null": {"type": "none"},
    "boolean": {"type": "bool", "strict": True},
    "string": {"type": "str", "strict": True},
    "integer": {"type": "int", "strict": True},
    "number": {"type": "float", "strict": True, "allow_inf_nan": False},
    "array": {"type": "list", "strict": True, "fail_fast": True},
}
EXACT: Final = 2**53
"""Below this magnitude every whole number is a float."""
DEFINITIONS: Final = "#/$defs/"


class Inexact(Exception):
    """The schema says something that can't be said to pydantic's core exactly."""


def quick_validator(schema: Schema) -> SchemaValidator | None:
    """Give a check that accepts only what fits `schema` (though not all of that), or None when it can't be said."""
    try:
        core = _core(schema)
        if parts := schema.get("$defs"):
            definitions = [{**_core(part), "ref": name} for name, part in parts.items()]
            core = {"type": "definitions", "schema": core, "definitions": definitions}
        return SchemaValidator(core)
    except (Inexact, SchemaError, RecursionError):
        return None


def _core(schema: Any) -> Schema:
    """Translate one schema and all below it."""
    if not isinstance(schema, dict):
        raise Inexact
    said = {key: value for key, value in schema.items() if key not in SILENT}
    match said:
        case {"$ref": str(target)} if len(said) == 1 and target.startswith(DEFINITIONS):
            return {"type": "definition-ref", "schema_ref": target.removeprefix(DEFINITIONS)}
        case {"anyOf": [_, *_] as forms} if len(said) == 1:
            return {"type": "union", "choices": [_core(form) for form in forms], "mode": "left_to_right"}
        case {"type": "string", **rest} if rest.keys() & {"enum", "const"}:
            return _words(rest)
        case {"type": "object", **rest}:
            return _object(rest)
        case {"type": str(name), **rest} if name in KNOWN:
            return _plain(name, rest)
        case {**rest} if not rest:
            return {"type": "any"}
        case _:
            raise Inexact


def _words(rest: Schema) -> Schema:
    words = rest.get("enum", [rest.get("const")])
    if len(rest) > 1 or not all(isinstance(word, str) for word in words):
        raise Inexact
    return {"type": "literal", "expected": words}


def _object(rest: Schema) -> Schema:
    properties, required = rest.pop("properties", {}), rest.pop("required", [])
    others = rest.pop("additionalProperties", True)
    if rest or not set(required) <= properties.keys():
        raise Inexact
    fields = {
        name: {"type": "typed-dict-field", "schema": _core(part), "required": name in required}
        for name, part in properties.items()
    }
    core: Schema = {"type": "typed-dict", "fields": fields, "strict": True}
    if isinstance(others, bool):
        return {**core, "extra_behavior": "ignore" if others else "forbid"}
    return {**core, "extra_behavior": "allow", "extras_schema": _core(others)}


def _plain(name: str, rest: Schema) -> Schema:
    core: Schema = dict(CORE[name])
    if name == "array":
        core["items_schema"] = _core(rest.pop("items", {}))
    for keyword, value in rest.items():
        if keyword not in KNOWN[name]:
            raise Inexact
        core[KNOWN[name][keyword]] = _inwards(keyword, value) if name == "number" else value
    return core


def _inwards(keyword: str, bound: float) -> float:
    """Move a bound that is large to the next float inside it: the core compares floats, to which it rounds."""
    if abs(bound) < EXACT:
        return bound
    return nextafter(float(bound), inf if keyword.endswith("inimum") else -inf)
