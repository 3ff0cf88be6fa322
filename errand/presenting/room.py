"""Shares the room on a page or in a mail among values, by the bytes of HTML that each needs. Used by `lay_out.py`."""

import html
from collections.abc import Sequence
from itertools import repeat
from typing import Any, Final

MARKUP: Final = 150
"""Bytes of HTML around one value."""
DEEPEST: Final = 20
"""Levels that are looked into."""


def shares(values: Sequence[Any], room: int) -> list[int]:
    """Share room among values: each gets what it needs, or an equal part of what the smaller ones leave."""
    room = max(room, 0)
    needs = [_need(value, room + 1) for value in values]
    shares, left = [0] * len(values), room
    for done, index in enumerate(sorted(range(len(values)), key=needs.__getitem__)):
        shares[index] = min(needs[index], left // (len(values) - done))
        left -= shares[index]
    return shares


def _need(value: Any, most: int, depth: int = 0) -> int:
    """Estimate how many bytes of HTML a value takes; no more is counted once there are more than `most`."""
    if isinstance(value, str):
        return MARKUP + (cost_of(value) if len(value) < most else most)
    if not isinstance(value, dict | list):
        return MARKUP
    total = MARKUP
    if depth < DEEPEST:
        names, held = (value.keys(), value.values()) if isinstance(value, dict) else (repeat(""), value)
        for name, item in zip(names, held, strict=False):
            total += MARKUP + len(name) + _need(item, most - total, depth + 1)
            if total >= most:
                break
    return total


def cost_of(text: str) -> int:
    """Return how many bytes of HTML a text takes."""
    escaped = html.escape(text)
    return len(escaped) if escaped.isascii() else len(escaped.encode("utf-8", "replace"))
