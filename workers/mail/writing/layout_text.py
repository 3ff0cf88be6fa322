"""Writes a layout into the text part of a mail: members as `name: value`, tables in columns, the rest indented.

Used by `result_words.py`. Where something is missing, a line in parentheses says so. Next: `text_layout.py`.
"""

import textwrap
from typing import NamedTuple

from errand.presenting.layout import Grid, Json, Listing, Members, Node, Plain
from errand.presenting.safe_text import columns_of
from workers.mail.writing.text_layout import MAX_CELL, WIDTH, table_as_text

INDENT = 2


class LayoutText(NamedTuple):
    """A layout as text, and whether it shows all of the result: fewer rows fit here than into the HTML part."""

    text: str
    whole: bool


def layout_as_text(node: Node) -> LayoutText:
    """Write a layout as lines of at most 76 characters, where they can be broken."""
    lines, whole = _lines(node, WIDTH)
    return LayoutText("\n".join(lines), whole)


def _lines(node: Node, width: int) -> tuple[list[str], bool]:
    match node:
        case Grid():
            return _grid(node, width)
        case Members():
            lines, whole = _members(node, width)
        case Listing(flat=False):
            lines, whole = _items(node, width)
        case Listing():
            lines, whole = _wrapped(node.line, width), True
        case Json():
            lines, whole = _wrapped(node.text, width), not node.cut
        case Plain():
            lines, whole = [part for line in node.lines for part in _wrapped(line, width)], True
    return [*lines, *_notes(node.missing, width)], whole and node.whole


def _members(node: Members, width: int) -> tuple[list[str], bool]:
    rows = [(name, value.text) for name, value in node.members if isinstance(value, Plain)]
    if node.flat and all(columns_of(text) <= MAX_CELL for row in rows for text in row):
        numeric = all(value.kind == "number" for _, value in node.members if isinstance(value, Plain))
        text, _ = table_as_text(("", ""), rows, (False, numeric), width)
        return text.split("\n"), True
    lines: list[str] = []
    all_whole = True
    for name, value in node.members:
        below, whole = _lines(value, width - INDENT)
        all_whole = all_whole and whole
        on_one_line = isinstance(value, Plain) or (isinstance(value, Listing) and value.flat)
        if on_one_line and len(below) == 1 and columns_of(name) + 2 + columns_of(below[0]) <= width:
            lines.append(f"{name}: {below[0]}")
        else:
            lines += [f"{name}:", *_indented(below)]
    return lines, all_whole


def _items(node: Listing, width: int) -> tuple[list[str], bool]:
    lines: list[str] = []
    all_whole = True
    for item in node.items:
        below, whole = _lines(item, width - INDENT)
        all_whole = all_whole and whole
        first, *others = below
        lines += [f"- {first}", *_indented(others)]
    return lines, all_whole


def _grid(node: Grid, width: int) -> tuple[list[str], bool]:
    text, shown = table_as_text(node.columns, node.rows, node.numeric, width)
    rows = (f"{shown:,} of {node.size:,} rows",) if shown < node.size else ()
    return [*text.split("\n"), *_notes((*rows, *node.missing_columns), width)], node.whole and shown == node.size


def _notes(missing: tuple[str, ...], width: int) -> list[str]:
    return _wrapped(f"({'. '.join(missing)}.)", width) if missing else []


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _indented(lines: list[str]) -> list[str]:
    return [f"{' ' * INDENT}{line}".rstrip() for line in lines]
