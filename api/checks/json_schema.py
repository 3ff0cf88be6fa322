"""Compiles JSON Schemas (2020-12) into validators that take linear time and never fetch anything.

The keyword `x-pydantic` has pydantic's own verdict: `schemas/arguments/verdict.py`. Next: `schema_faults.py`, which
finds what does not fit.
"""

from typing import Any, Final

import jsonschema_rs
from jsonschema_rs import Draft202012Validator, RegexOptions, Validator
from pydantic import ValidationError

from api.http.body import pointer
from schemas.arguments.verdict import EXACT_FLOATS, KEYWORD, ROUNDS_TO_INFINITY, verdict

Schema = dict[str, Any]

UNASSERTED: Final = (
    *("date-time", "time", "duration", "hostname", "uri", "uri-reference", "uri-template", "iri", "iri-reference"),
    *("json-pointer", "relative-json-pointer"),
)
"""Formats that only describe: operations accept more, such as a `datetime` without a time zone."""
MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})
LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
SINGLE: Final = frozenset(
    {
        *("items", "contains", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties"),
        *("not", "if", "then", "else"),
    }
)
"""Keywords whose values are schemas: by name, in a list, or one."""
LEAST: Final = ("minimum", "exclusiveMinimum")
MOST: Final = ("maximum", "exclusiveMaximum")
NEAR: Final = {"minimum": -EXACT_FLOATS, "maximum": EXACT_FLOATS}
FAR: Final = 2**63
"""Comparing a number with a bound of this size takes 100 times as long, so only numbers that are not near are."""


class PydanticKeyword:
    """Checks values by an `x-pydantic` schema, as jsonschema-rs calls it."""

    def __init__(self, parent: Schema, schema: Any, path: list[str | int]) -> None:
        """Compile the schema; the library reports what is raised."""
        self._verdict = verdict(schema)

    def validate(self, instance: Any) -> None:
        """Raise ValueError if the value does not fit."""
        try:
            self._verdict.check(instance)
        except ValidationError:
            raise ValueError(
                "does not fit"
            ) from None  # the library writes an error as text, and pydantic's may fill megabytes


OPTIONS: Final[dict[str, Any]] = {
    "validate_formats": True,
    "formats": {
        **dict.fromkeys(UNASSERTED, lambda _: True),
        **dict.fromkeys(("email", "idn-email"), lambda text: "@" in text),  # addresses in any script
    },
    "keywords": {KEYWORD: PydanticKeyword},
    "offline": True,  # a `$ref` to another host is an error, never a request
    "pattern_options": RegexOptions(),  # the engine that never backtracks
}
REGEX: Final = "patterns are matched in linear time: no lookahead, lookbehind or backreference, nor over 10 MB compiled"


def compiled(schema: Schema) -> Validator:
    """Compile an `asserted` schema; raise ValueError with a sentence that says why it can't be used."""
    try:
        return Draft202012Validator(schema, **OPTIONS)
    except jsonschema_rs.ValidationError as fault:
        reason = f"{fault.message} ({REGEX})" if fault.kind.as_dict() == {"format": "regex"} else fault.message
        raise ValueError(f"its JSON Schema can't be used: {reason}, at #{pointer(*fault.instance_path)}") from None


def asserted(schema: Any) -> Any:
    """Return the schema as it is checked: `x-pydantic` alone decides where it is, and a number is finite."""
    if not isinstance(schema, dict):
        return schema
    if KEYWORD in schema:
        return {KEYWORD: schema[KEYWORD]}
    found = {key: _asserted_inside(key, value) for key, value in schema.items()}
    kind = schema.get("type")
    is_number = "number" in kind if isinstance(kind, list) else kind == "number"
    if far := _far_bounds(schema, is_number):
        found = {key: value for key, value in found.items() if key not in far}
        found["allOf"] = [*found.get("allOf", ()), {"if": NEAR, "else": far}]
    return found


def _far_bounds(schema: Schema, is_number: bool) -> Schema:
    """Return the bounds that no near number exceeds; those of a float for a number without others."""
    bounds = {name: schema[name] for name in (*LEAST, *MOST) if isinstance(schema.get(name), int | float)}
    far = {name: bound for name, bound in bounds.items() if (-bound if name in LEAST else bound) >= FAR}
    if is_number and not schema.keys() & {*LEAST}:
        far["exclusiveMinimum"] = -ROUNDS_TO_INFINITY
    if is_number and not schema.keys() & {*MOST}:
        far["exclusiveMaximum"] = ROUNDS_TO_INFINITY
    return far


def _asserted_inside(key: str, value: Any) -> Any:
    if key in MAPS and isinstance(value, dict):
        return {name: asserted(part) for name, part in value.items()}
    if key in LISTS and isinstance(value, list):
        return [asserted(part) for part in value]
    return asserted(value) if key in SINGLE else value
