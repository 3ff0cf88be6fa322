"""Pydantic's verdict on JSON values, the same in the API and in the workers.

A published schema has the keyword `x-pydantic` where JSON Schema can't say exactly what an operation takes: its value
is a pydantic core schema made of plain data. `workers/operations/arguments/` writes it,
`api/checks/json_schema.py` checks by it. Both read a core schema with the meaning of JSON, which pydantic alone does
not have: 100.0 is the whole number 100, and true is not 1.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any, Final

from pydantic import Base64Bytes, Base64UrlBytes, IPvAnyAddress, IPvAnyInterface, IPvAnyNetwork, TypeAdapter
from pydantic_core import PydanticCustomError, PydanticKnownError, SchemaValidator

from schemas.arguments.core_schema import Node, mapped, parts_of

KEYWORD: Final = "x-pydantic"
NAMED: Final[Mapping[str, Any]] = {
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "ipv4network": IPv4Network,
    "ipv6network": IPv6Network,
    "ipv4interface": IPv4Interface,
    "ipv6interface": IPv6Interface,
    "ipvanyaddress": IPvAnyAddress,
    "ipvanynetwork": IPvAnyNetwork,
    "ipvanyinterface": IPvAnyInterface,
    "base64": Base64Bytes,
    "base64url": Base64UrlBytes,
}
"""Pydantic's types that are more than plain data, by the names that `x-pydantic` has for them."""
COMPARED: Final = ("gt", "ge", "lt", "le")
"""Keys of a core schema that are bounds of an ordered type."""
WRITTEN: Final = frozenset({"date", "time", "datetime", "timedelta", "decimal"})
"""Types whose bounds `x-pydantic` writes as strings."""
EXACT_FLOATS: Final = 2**53
"""Up to this magnitude a float can hold every whole number."""
ROUNDS_TO_INFINITY: Final = 2**1024 - 2**970
"""The least whole number that is too large for a float."""

_WRITER: Final = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))
_BEYOND: Final = {"gt": "greater_than", "ge": "greater_than_equal", "lt": "less_than", "le": "less_than_equal"}


class Verdict:
    """Reads JSON as a core schema says: nothing is converted, and a field has only the name that JSON Schema says.

    Threads may share it, but not make two at once.
    """

    def __init__(self, schema: Node) -> None:
        """Compile a core schema, a worker's or the value of `x-pydantic`; raise pydantic's SchemaError or KeyError."""
        self._validator = _compiled(schema)

    def read(self, text: str) -> Any:
        """Return the Python value of a JSON text. Raises pydantic's ValidationError."""
        return self._validator.validate_json(text, strict=True, by_alias=True, by_name=False)

    def check(self, value: Any) -> None:
        """Raise pydantic's ValidationError, or ValueError, if a parsed JSON value does not fit."""
        self.read(_WRITER.encode(value))


class KeysVerdict(Verdict):
    """Checks only the keys of an object, and their number: `x-pydantic` has the keys of a dict."""

    def __init__(self, schema: Node) -> None:
        """Compile the core schema of a dict; raise as `Verdict` does."""
        super().__init__(schema)
        self._one = Verdict({key: value for key, value in schema.items() if key not in {"min_length", "max_length"}})

    def check(self, value: Any) -> None:
        """Raise pydantic's ValidationError at the first wrong key; pydantic alone lists all of them."""
        if isinstance(value, dict):
            for key in value:
                self._one.check({key: None})
            value = dict.fromkeys(value)
        super().check(value)


def verdict(schema: Node) -> Verdict:
    """Compile the value of `x-pydantic`; raise as `Verdict` does."""
    return KeysVerdict(schema) if schema["type"] == "dict" else Verdict(schema)


def _compiled(schema: Node) -> SchemaValidator:
    core = exact(schema)
    complete = [cls for cls in _classes(core) if vars(cls).get("__pydantic_complete__")]
    try:
        for cls in complete:  # pydantic would take the validator that a complete class has, and not this schema
            cls.__pydantic_complete__ = False  # type: ignore[attr-defined]  # it was found there
        return SchemaValidator(core)
    finally:
        for cls in complete:
            cls.__pydantic_complete__ = True  # type: ignore[attr-defined]  # the same


def exact(node: Node) -> Node:
    """Return a core schema with the meaning of JSON."""
    kind = node["type"]
    if "keys_schema" in node:
        return {**mapped({**node, "keys_schema": None}, exact), "keys_schema": _exact_key(node["keys_schema"])}
    if kind in WRITTEN:
        return {**node, **{key: _bound(kind, node[key]) for key in (*COMPARED, "multiple_of") if key in node}}
    return (EXACT.get(kind) or _inside)(node)


def whole(value: object) -> object:
    """Return a float that is a whole number as an int: the number that its shortest decimal form says."""
    return int(Decimal(repr(value))) if type(value) is float and value.is_integer() else value


def _inside(node: Node) -> Node:
    return mapped(node, exact)


def _exact_key(node: Node) -> Node:
    """Return the core schema of an object's keys: JSON has them as strings, which pydantic reads as numbers."""
    if node["type"] in {"union", "nullable", "default"}:
        return mapped(node, _exact_key)
    return node if node["type"] in {"int", "float"} else exact(node)


def _float(node: Node) -> Node:
    finite = {**node, "allow_inf_nan": False}
    bounds = {name: node[name] for name in COMPARED if abs(node.get(name) or 0) >= EXACT_FLOATS}
    return _before(_comparing(bounds), finite) if bounds else finite


def _tagged(node: Node) -> Node:
    """Return a union; by its tag only if that is a string, since a number means what JSON Schema says."""
    if all(isinstance(tag, str) for tag in node["choices"]):
        return mapped(node, exact)
    union: Node = {"type": "union", "choices": list(node["choices"].values())}
    return mapped(union | {key: node[key] for key in ("ref", "metadata") if key in node}, exact)


def _before(function: Callable[[object], object], node: Node) -> Node:
    inner = {key: value for key, value in node.items() if key != "ref"}
    return _calling("function-before", function, node) | {"schema": inner}


def _calling(kind: str, function: Callable[[object], object], node: Node) -> Node:
    found = {"type": kind, "function": {"type": "no-info", "function": function}}
    return {**found, "ref": node["ref"]} if "ref" in node else found


def _no_object(value: object) -> object:
    """Return the value; a tuple with names is a list in JSON, though pydantic takes an object, too."""
    if isinstance(value, dict):
        raise PydanticKnownError("tuple_type")
    return value


def _comparing(bounds: Mapping[str, float]) -> Callable[[object], object]:
    """Return a comparison of whole numbers with the bounds of a float, before they are rounded to a float."""
    decimals = {name: Decimal(repr(float(bound))) for name, bound in bounds.items()}

    def compare(value: object) -> object:
        if type(value) is int and abs(value) > EXACT_FLOATS:
            for name, bound in decimals.items():
                if not {"gt": value > bound, "ge": value >= bound, "lt": value < bound, "le": value <= bound}[name]:
                    raise PydanticKnownError(_BEYOND[name], {name: bounds[name]})  # type: ignore[arg-type]  # a kind
        return value

    return compare


def _literal(node: Node) -> Node:
    return _one_of(node, {_key(getattr(value, "value", value)): value for value in node["expected"]})


def _enum(node: Node) -> Node:
    return _one_of(node, {_key(member.value): member for member in node["members"]})


def _one_of(node: Node, values: Mapping[object, object]) -> Node:
    """Return a part that takes the JSON form of one of the values."""
    expected = " or ".join(json.dumps(getattr(value, "value", value), ensure_ascii=False) for value in values.values())

    def choose(value: object) -> object:
        try:
            return values[_key(value)]
        except (KeyError, TypeError):  # a list or an object has no hash
            raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected}) from None

    return _calling("function-plain", choose, node)


def _key(value: object) -> object:
    """Return a key that is equal for values that JSON Schema holds equal: for 1 and 1.0, but not for 1 and true."""
    return isinstance(value, bool), whole(value)


def _bound(kind: str, value: object) -> object:
    return SchemaValidator({"type": kind}).validate_python(value) if isinstance(value, str) else value


def _classes(node: Node) -> Iterator[type]:
    """Yield the classes whose objects a core schema makes."""
    if node["type"] in {"model", "dataclass"}:
        yield node["cls"]
    for part in parts_of(node):
        yield from _classes(part)


EXACT: Final[dict[str, Callable[[Node], Node]]] = {
    "named": lambda node: dict(TypeAdapter(NAMED[node["name"]]).core_schema),
    "int": lambda node: _before(whole, node),
    "float": _float,
    "literal": _literal,
    "enum": _enum,
    "tagged-union": _tagged,
    "named-tuple": lambda node: _before(_no_object, mapped(node, exact)),
}
"""What gives each type the meaning of JSON; other types have it, if the types inside them have it."""
