"""Parses the JSON of a body strictly: NaN, a key that is given twice and deep nesting are refused.

Takes time linear in the text. Next: `body.py`, which turns a refusal into a problem.
"""

import json
import re
from collections import Counter
from typing import Any, Final

from pydantic_core import from_json

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""What some Windows programs write at the beginning of a text in UTF-8; it says nothing about the text."""

_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')

Path = tuple[str | int, ...]


class KeyRepeated(ValueError):
    """An object has a key twice; `path` leads to it."""

    def __init__(self, path: Path) -> None:
        """Name the place of the key."""
        self.path = path
        super().__init__(f"the key {path[-1]!r} is given more than once")


class _Repeating(dict[str, Any]):
    """An object in which a key is given more than once."""

    key = ""


def parse_json(text: bytes | str) -> Any:
    """Parse JSON, with or without a byte order mark. Raises ValueError, and KeyRepeated where a key is given twice."""
    raw = (text.encode() if isinstance(text, str) else text).removeprefix(BYTE_ORDER_MARK)
    found = from_json(raw, allow_inf_nan=False, cache_strings="keys")
    if _has_repeated_key(raw, found):
        raise KeyRepeated(_place_of_repeated_key(raw))
    return found


def _has_repeated_key(raw: bytes, found: Any) -> bool:
    """Compare the colons of a valid text with the members that are left of it. The cheapest count that will do."""
    colons = raw.count(b":")  # those inside strings too
    if not colons or (isinstance(found, dict) and len(found) == colons):
        return False
    members = _members(found)
    return colons != members and _STRING.sub(b"", raw).count(b":") != members


def _members(found: Any) -> int:
    """Count the members of all objects."""
    count, left = 0, [found] if isinstance(found, dict | list) else []
    while left:
        value = left.pop()
        if isinstance(value, dict):
            count += len(value)
        inside = value.values() if isinstance(value, dict) else value
        left.extend(held for held in inside if isinstance(held, dict | list))
    return count


def _place_of_repeated_key(raw: bytes) -> Path:
    """Find a repeated key. It is one of the outermost, since those further in may have been overwritten."""
    text = json.loads(raw, object_pairs_hook=_object_of, parse_int=str, parse_float=str)
    left: list[tuple[Path, Any]] = [((), text)]
    for path, value in left:
        if isinstance(value, _Repeating):
            return *path, value.key
        rows = value.items() if isinstance(value, dict) else enumerate(value)
        left.extend(((*path, step), held) for step, held in rows if isinstance(held, dict | list))
    raise AssertionError("no key is given twice")


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeating, counts = _Repeating(found), Counter(key for key, _ in pairs)
    repeating.key = next(key for key, count in counts.items() if count > 1)
    return repeating
