"""Indents JSON for people to read, a line for each member.

Used for mails (`workers/mail/writing/result_words.py`) and for the page of a job (`api/pages/result.py`).
"""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any, Final

from errand.presenting.safe_text import Number

WIDTH: Final = 76
"""Maximum characters of a line, where it can be broken."""

_DEEPEST: Final = 12
"""Maximum levels of indentation: brackets alone must not become megabytes of blanks."""
# a list of numbers is one piece
_PIECES = re.compile(r'\[[^\[\]{}"]*(?:\]|\Z)|"(?:[^"\\]|\\.)*"?|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


def indented(document: str, width: int | None = WIDTH) -> str:
    """Indent JSON without parsing it: it may be cut off anywhere, and every digit stays as it was.

    Lists of numbers are broken into lines of `width` characters, or not at all if it is None, for what wraps lines
    itself.
    """
    out: list[str] = []
    depth, fresh = 0, False  # fresh: the last piece was an opening bracket
    for piece in _PIECES.findall(document):
        closes = piece in ("]", "}")
        depth -= closes and depth > 0
        if fresh != closes:
            out.append(_break(depth))
        fresh = piece in ("[", "{")
        depth += fresh
        before = 2 * depth + (len(out[-2]) + 2 if out[-1:] == [": "] else 0)
        out.append({",": "," + _break(depth), ":": ": "}.get(piece) or _in_lines(piece, depth, before, width))
    return "".join(out)


def beginning_of(value: Any, most: int) -> str:
    """Write parsed JSON on one line, in about `most` characters or all of it; numbers are `safe_text.Number`."""
    pieces, length = [], 0
    for piece in _pieces(value, 0):
        pieces.append(piece)
        length += len(piece)
        if length >= most:
            break
    return "".join(pieces)


def _pieces(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict | list):
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        names = value.keys() if isinstance(value, dict) else repeat(None)
        yield opening
        for number, (name, held) in enumerate(zip(names, _held(value, depth), strict=False)):
            yield (", " if number else "") + ("" if name is None else f"{json.dumps(name, ensure_ascii=False)}: ")
            yield from _pieces(held, depth + 1)
        yield closing
    else:
        yield str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def _held(value: dict[str, Any] | list[Any], depth: int) -> Iterable[Any]:
    if depth > _DEEPEST:
        return [Number("…")] if value else []  # generators inside generators cost time and stack
    return value.values() if isinstance(value, dict) else value


def _in_lines(piece: str, depth: int, before: int, width: int | None) -> str:
    """Break a list of numbers, which is one piece, into lines; its first line has `before` characters already."""
    if not piece.startswith("[") or "," not in piece:
        return piece
    spaced = " ".join(piece.replace(",", ", ").split())
    if width is None:
        return spaced
    indent = "  " * min(depth + 1, _DEEPEST)
    lead = " " * min(before, width // 2)
    return textwrap.fill(spaced, width, initial_indent=lead, subsequent_indent=indent, break_long_words=False).lstrip()


def _break(depth: int) -> str:
    return "\n" + "  " * min(depth, _DEEPEST)
