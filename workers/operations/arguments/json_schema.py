"""Writes the JSON Schema of settled types: as pydantic does, with `x-pydantic` where that would not be exact.

`schemas/arguments/verdict.py` says what the keyword means.
"""

from typing import Any, Final

from pydantic.json_schema import JsonSchemaValue
from pydantic_core import to_jsonable_python

from schemas.arguments.core_schema import Node, mapped, parts_of
from schemas.arguments.verdict import COMPARED, EXACT_FLOATS, KEYWORD
from schemas.key_order import KeysAsGiven
from workers.operations.arguments.functions import adds_nothing, known_name
from workers.operations.arguments.kinds import (
    CONTAINERS,
    DICTS,
    LEAVES,
    LENGTHS,
    LISTS,
    MODELS,
    URLS,
    VALUES,
    Inexact,
    linear_pattern,
)

DROPPED: Final = ("metadata", "serialization", "ref", "strict", "regex_engine", "fail_fast", "json_schema_input_schema")
"""Keys of a core schema that don't change the verdict."""
SETS: Final = frozenset({"set", "frozenset"})
EXACT: Final = frozenset(
    {"any", "none", "bool", "int", "nullable", "union", "list", "deque", "literal", "enum"} | MODELS
)
"""Types that JSON Schema describes exactly, if it does so for the types inside them."""
HASHABLE: Final = MODELS - {"typed-dict", "definition-ref"} | {"nullable", "union", "tuple", "frozenset"}
"""Types whose values a set takes, if it takes the values inside them."""


class ExactSchema(KeysAsGiven):
    """Writes the JSON Schema of settled types."""

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        """Describe one part."""
        found = super().generate_inner(schema)
        if schema["type"] in SETS:
            found.pop("uniqueItems", None)  # a set takes an item twice
        if is_described(schema):
            return found
        if schema["type"] not in DICTS:
            return {**found, KEYWORD: portable(schema)}
        patterns = found.pop("patternProperties", {"": found.get("additionalProperties", True)})
        found.pop("propertyNames", None)
        keys = portable(_only_keys(schema))
        return {**found, "additionalProperties": next(iter(patterns.values())), "allOf": [{KEYWORD: keys}]}


def refuse_undescribable(node: Node) -> None:
    """Raise Inexact if neither JSON Schema nor `x-pydantic` can say what fits this part."""
    if not is_described(node):
        portable(_only_keys(node) if node["type"] in DICTS else node)


def refuse_slow_patterns(schema: Any) -> None:
    """Raise Inexact if a JSON Schema has a pattern that can't be matched in linear time: its author stated it."""
    parts = [schema]
    for part in parts:
        if isinstance(part, dict) and isinstance(pattern := part.get("pattern"), str):
            linear_pattern(pattern)
        parts.extend(part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())


def is_described(node: Node) -> bool:
    """Return whether pydantic's JSON Schema of this part is exact, if it is exact for the parts inside it."""
    kind = node["type"]
    if known_name(node):
        return False
    if kind.startswith("function-"):  # its JSON Schema is stated, or that of the part inside it
        return node.get("schema", {}).get("type") not in URLS
    return kind in EXACT or _is_described_so(kind, node)


def _is_described_so(kind: str, node: Node) -> bool:
    """Return whether the JSON Schema is exact for just these constraints of a type."""
    match kind:
        case "float":
            # pydantic multiplies with a tolerance, and rounds a large whole number, perhaps to the bound itself
            return "multiple_of" not in node and all(abs(node.get(key) or 0) < EXACT_FLOATS for key in ("gt", "lt"))
        case "str":
            return node.keys() <= {"type", *LENGTHS, *DROPPED}
        case "tuple":
            last = len(node["items_schema"]) - 1
            return bool(node.get("variadic_item_index", last) == last)
        case "set" | "frozenset":  # pydantic counts what is left without repetitions
            is_counted = node.get("min_length", 0) > 1 or "max_length" in node
            return not is_counted and _is_hashable(node.get("items_schema", {"type": "any"}))
    return kind in DICTS and _is_plain_string(node.get("keys_schema", {"type": "any"}))


def portable(node: Node) -> Node:
    """Return the part as plain data. Raises Inexact."""
    kind = node["type"]
    if name := known_name(node):
        return {"type": "named", "name": name}
    if kind in {"default", "lax-or-strict", "json-or-python"} or (kind.startswith("function-") and adds_nothing(node)):
        return portable(node.get("strict_schema") or node.get("json_schema") or node["schema"])
    if kind in {"literal", "enum"}:
        values = node["expected"] if kind == "literal" else node["members"]
        return {"type": "literal", "expected": [getattr(value, "value", value) for value in values]}
    if kind not in LEAVES | CONTAINERS:
        raise Inexact("is a collection of objects whose keys or size the API can't check; use another type")
    return _as_data(mapped({key: value for key, value in node.items() if key not in DROPPED}, portable))


def _only_keys(node: Node) -> Node:
    """Return a dict of any values: they may be objects, which are no plain data, and JSON Schema describes them."""
    return {**node, "type": "dict", "values_schema": {"type": "any"}}


def _as_data(found: Node) -> Node:
    """Return a part whose bounds are JSON, and that looks no further than the first wrong item."""
    for key in (*COMPARED, "multiple_of"):
        if key in found and not isinstance(found[key], int | float):
            found[key] = to_jsonable_python(found[key])
    if found["type"] in LISTS:
        found["fail_fast"] = True
    if "choices" in found:
        found["choices"] = [choice[0] if isinstance(choice, tuple) else choice for choice in found["choices"]]
    return found


def _is_hashable(node: Node) -> bool:
    """Return whether a set takes every value of this type."""
    if node["type"] in VALUES:
        return bool(node["type"] != "any")
    if node["type"] in {"model", "dataclass"} and node["cls"].__hash__ is None:
        return False
    is_wrapped = node["type"].startswith("function-") and (adds_nothing(node) or known_name(node) is not None)
    parts = list(parts_of(node))
    return (is_wrapped or node["type"] in HASHABLE) and bool(parts) and all(map(_is_hashable, parts))


def _is_plain_string(node: Node) -> bool:
    return node["type"] == "any" or (node["type"] == "str" and node.keys() <= {"type", *DROPPED})
