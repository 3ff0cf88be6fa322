"""Tells apart the functions that check a value: pydantic's own, those with a stated JSON Schema, and all others.

The API can't call the code of an operation's types, so `settling.py` refuses those others.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import SecretBytes, SecretStr, TypeAdapter, WithJsonSchema

from schemas.arguments.core_schema import Node
from schemas.arguments.verdict import NAMED
from workers.operations.arguments.kinds import URLS, Inexact


def known_name(node: Node) -> str | None:
    """Return the name by which `x-pydantic` knows this type, one of pydantic's that call a function."""
    function = called(node)
    return None if function is None else next((name for name, own in _named_functions() if own == function), None)


def called(node: Any) -> Any:
    """Return the function that a part calls for JSON, or None."""
    inner = node.get("strict_schema") or node.get("json_schema")
    return called(inner) if isinstance(inner, dict) else node.get("function", {}).get("function")


def is_stated(node: Node) -> bool:
    """Return whether the author of a type has stated its JSON Schema, which the API then goes by."""
    return any(
        isinstance(getattr(each, "__self__", None), WithJsonSchema) or not is_pydantics(each)
        for each in _describers(node)
    )


def adds_nothing(node: Node) -> bool:
    """Return whether a function of pydantic's only wraps a value that was checked before."""
    function, inner = called(node), node.get("schema", {}).get("type")
    if function in {SecretStr, SecretBytes}:
        return True
    is_path = inner == "str" and getattr(function, "__name__", "") == "path_validator"
    return is_pydantics(function) and (is_path or inner in URLS)


def is_pydantics(function: Any) -> bool:
    """Return whether a function comes with pydantic."""
    return str(getattr(function, "__module__", "")).partition(".")[0] == "pydantic"


def refuse_function(node: Node) -> None:
    """Raise Inexact: the API can't call this function."""
    function = called(node)
    name = getattr(function, "__qualname__", type(function).__name__).replace("<locals>.", "")
    raise Inexact(
        f"is checked by `{name}`, which the API can't call; check it inside the operation and raise ValueError, "
        "or state what it accepts: `Annotated[…, WithJsonSchema({…})]`"
    )


def refuse_hooks(node: Node) -> None:
    """Raise Inexact if a class runs code of its own when an object is made: it may refuse what the API accepts."""
    cls, hook = node.get("cls"), {"model": "model_post_init", "dataclass": "__post_init__"}.get(node["type"])
    if hook is None or cls is None:
        return
    found = "__init__" if node.get("custom_init") else hook if node.get("post_init") else None
    if found and not is_pydantics(getattr(cls, found)):
        raise Inexact(f"runs `{cls.__name__}.{found}`, which the API can't call; do it inside the operation")


def _describers(node: Node) -> Iterator[Any]:
    metadata = node.get("metadata", {})
    yield from metadata.get("pydantic_js_functions", ())
    yield from metadata.get("pydantic_js_annotation_functions", ())


@cache
def _named_functions() -> list[tuple[str, Any]]:
    return [(name, called(TypeAdapter(kind).core_schema)) for name, kind in NAMED.items()]
