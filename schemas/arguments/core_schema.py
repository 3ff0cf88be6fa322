"""Walks through pydantic's core schemas, which describe types as nested dicts.

`verdict.py` and `workers/operations/arguments/` change them part by part.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

Node = dict[str, Any]
"""One part of a core schema."""

ONE: Final = ("schema", "items_schema", "keys_schema", "values_schema", "extras_schema", "json_schema", "strict_schema")
"""Keys of a part that hold another part."""
SEVERAL: Final = ("choices", "steps", "definitions", "fields", "items_schema")
"""Keys of a part that hold several parts, in a list or by name."""


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the part with its own parts changed; those that only Python values reach are left as they are."""
    found = dict(node)
    for key in ONE:
        if isinstance(node.get(key), dict):
            found[key] = change(node[key])
    for key in SEVERAL:
        match node.get(key):
            case list() as rows:
                found[key] = [_changed(row, change) for row in rows]
            case dict() as rows if key not in ONE:
                found[key] = {name: _changed(row, change) for name, row in rows.items()}
    return found


def parts_of(node: Node) -> Iterator[Node]:
    """Yield the parts that `mapped` changes."""
    found: list[Node] = []

    def note(part: Node) -> Node:
        found.append(part)
        return part

    mapped(node, note)
    yield from found


def _changed(row: Any, change: Callable[[Node], Node]) -> Any:
    """Change one of several parts: a part, a part with a label, or a mere name."""
    if isinstance(row, tuple):
        return (change(row[0]), *row[1:])
    return change(row) if isinstance(row, dict) else row
