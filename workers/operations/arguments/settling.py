"""Settles what pydantic leaves open in the types of arguments, and refuses types that the API can't check.

The API checks by the JSON Schema that `json_schema.py` writes of the settled types, the worker by these types
themselves. `signature.py` calls this module for each parameter.
"""

from collections.abc import Callable, Mapping
from functools import partial
from math import ceil, floor
from typing import Any, Final

from schemas.arguments.core_schema import Node, mapped
from schemas.arguments.verdict import COMPARED, EXACT_FLOATS
from workers.operations.arguments.functions import (
    adds_nothing,
    is_pydantics,
    is_stated,
    known_name,
    refuse_function,
    refuse_hooks,
)
from workers.operations.arguments.json_schema import refuse_undescribable
from workers.operations.arguments.kinds import (
    KNOWN,
    LENGTHS,
    ORDERED,
    SIZED,
    TIMES,
    Inexact,
    linear_pattern,
    with_article,
)

STRINGS: Final = ("str_strip_whitespace", "str_to_lower", "str_to_upper", "str_min_length", "str_max_length")
"""Settings of a model for all of its strings."""
UNUSABLE: Final = {"val_json_bytes": "utf8", "val_temporal_unit": "infer"}
"""Settings of a model that change what JSON means, each with the only value that the API knows."""
WHOLE: Final[dict[str, Callable[[float], int]]] = {"ge": ceil, "gt": floor, "le": floor, "lt": ceil}
"""What makes a bound that of whole numbers."""
BOUNDS: Final = frozenset({*COMPARED, *LENGTHS, "multiple_of"})

Config = Mapping[str, Any]


def settled(node: Node, config: Config) -> Node:
    """Return the core schema of a type with everything settled; `config`: its model's. Raises Inexact."""
    config = node.get("config") or config
    if node["type"].startswith("function-"):
        return _function(node, config)
    if node["type"] == "custom-error":
        return settled(node["schema"], config)
    if node["type"] == "generator":
        node = {**node, "type": "list"}
    if node["type"] not in KNOWN:
        raise Inexact(f"is {with_article(node)}, which the API can't check; use another type")
    refuse_hooks(node)
    if "config" in node:  # without what its strings now say themselves
        node = {**node, "config": {key: config[key] for key in config if key not in {*STRINGS, "regex_engine"}}}
    found = _settle(mapped(node, lambda part: settled(part, config)), config)
    refuse_undescribable(found)
    return found


def inlined(node: Node, values: Mapping[str, Node]) -> Node:
    """Return the core schema with these types in the place of references to them."""
    if node["type"] == "definition-ref" and node["schema_ref"] in values:
        return {key: value for key, value in values[node["schema_ref"]].items() if key != "ref"}
    return mapped(node, lambda part: inlined(part, values))


def _settle(node: Node, config: Config) -> Node:
    if node["type"] == "str":
        return _string(node, config)
    if node["type"] in TIMES or node["type"] == "bytes":
        return _in_a_usual_model(node, config)
    settler = SETTLERS.get(node["type"])
    return settler(node) if settler else node


def _function(node: Node, config: Config) -> Node:
    """Settle a part that calls a function: a bound that pydantic adds to a union, or a type of pydantic's own."""
    function = node["function"]["function"]
    if isinstance(function, partial) and is_pydantics(function.func) and function.keywords.keys() <= BOUNDS:
        inner = settled(node["schema"], config)
        for name, bound in function.keywords.items():
            inner = _bounded(inner, name, bound)
        return inner
    if known_name(node) or is_stated(node):
        return node
    if not adds_nothing(node):
        refuse_function(node)
    return {**node, "schema": settled(node["schema"], config)}


def _bounded(node: Node, name: str, bound: Any) -> Node:
    """Return the part with a bound, which each form of a union gets."""
    match node:
        case {"type": "union", "choices": choices}:
            unlabelled = (choice[0] if isinstance(choice, tuple) else choice for choice in choices)
            return {**node, "choices": [_bounded(choice, name, bound) for choice in unlabelled]}
        case {"type": "json-or-python"}:
            return {**node, "json_schema": _bounded(node["json_schema"], name, bound)}
        case {"type": "lax-or-strict"}:
            return {**node, "strict_schema": _bounded(node["strict_schema"], name, bound)}
        case {"type": "nullable" | "default"}:
            return {**node, "schema": _bounded(node["schema"], name, bound)}
        case {"type": kind} if kind in (SIZED if name in LENGTHS else ORDERED) and name not in node:
            found = _settle({**node, name: WHOLE[name](bound) if kind == "int" and name in WHOLE else bound}, {})
            refuse_undescribable(found)
            return found
    raise Inexact(f"has the bound `{name}={bound}`, which does not apply to {with_article(node)}")


def _string(node: Node, config: Config) -> Node:
    """Let the settings of a string's model count, and its pattern run in linear time."""
    settings = {name.removeprefix("str_"): config[name] for name in STRINGS if config.get(name)}
    found = settings | {key: value for key, value in node.items() if key != "regex_engine" and value is not None}
    return {**found, "pattern": linear_pattern(found["pattern"])} if "pattern" in found else found


def _in_a_usual_model(node: Node, config: Config) -> Node:
    """Refuse bytes and times whose JSON form depends on a setting, and a time that must be in the future."""
    if name := next((name for name, usual in UNUSABLE.items() if config.get(name, usual) != usual), None):
        raise Inexact(f"is in a model with the setting `{name}`, by which the API can't read it; remove the setting")
    if node.get("now_op") == "future":
        raise Inexact("must be in the future, and may be in the past when the job runs; check it inside the operation")
    return node


def _float(node: Node) -> Node:
    return {**node, **{name: float(node[name]) for name in COMPARED if abs(node.get(name) or 0) >= EXACT_FLOATS}}


def _tagged(node: Node) -> Node:
    if isinstance(node["discriminator"], str):
        return node
    raise Inexact("is a union whose forms are told apart by a function; tell them apart by a field")


def _fields(node: Node) -> Node:
    if "extras_keys_schema" in node:
        raise Inexact("has a type for the names of its unknown fields; use a `dict`")
    return node


def _field(node: Node) -> Node:
    """Give a field the one name that its JSON Schema has."""
    alias = node.get("validation_alias")
    if alias is None:
        return node
    path = alias[0] if isinstance(alias, list) and isinstance(alias[0], list) else alias  # the first of several names
    name = path[0] if isinstance(path, list) and len(path) == 1 else path
    if not isinstance(name, str):
        raise Inexact("has a field that is read from inside another (`AliasPath`); give it a name of its own")
    return {**node, "validation_alias": name}


def _without(key: str) -> Callable[[Node], Node]:
    return lambda node: {name: value for name, value in node.items() if name != key}


SETTLERS: Final[dict[str, Callable[[Node], Node]]] = {
    "float": _float,
    "tagged-union": _tagged,
    "default": _without("on_error"),
    "enum": _without("missing"),  # what an Enum takes beyond its values is in no schema
    **dict.fromkeys({"model-fields", "dataclass-args", "typed-dict"}, _fields),
    **dict.fromkeys({"model-field", "dataclass-field", "typed-dict-field"}, _field),
}
