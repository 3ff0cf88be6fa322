"""Sets JSON off, a line for each member, as people read it.

Stands at step 6 of a job's life, under mails (`workers/mail/writing/words.py`) and the page of a job
(`api/pages/view_model.py`).
"""

import re
import textwrap
from typing import Final

WIDTH: Final = 76
"""Characters of a line that is broken where it can be."""

_DEEPEST: Final = 12
"""Levels that are still set off: brackets alone must not become megabytes of blanks."""
# a list of numbers is one piece
_PIECES = re.compile(r'\[[^\[\]{}"]*(?:\]|\Z)|"(?:[^"\\]|\\.)*"?|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


def indented(document: str, width: int | None = WIDTH) -> str:
    """Set JSON off, a line for each member, without reading it: it may be cut short, and every digit stays.

    Lists of numbers are broken into lines of `width`; None: they are not, as what shows them does that.
    """
    out: list[str] = []
    depth, fresh = 0, False  # fresh: right after an opening bracket
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


def _in_lines(piece: str, depth: int, before: int, width: int | None) -> str:
    """Break a list of numbers, which is one piece, where lines end; `before` characters stand on its line already."""
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
