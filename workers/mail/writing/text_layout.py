"""Lays out a mail's text part, in lines of at most 76 characters: sentences and tables.

Used by `layout_text.py` and by the templates. Nothing is cut off here, and nothing raises on odd input: a single word
that is longer than a line gets a longer line.
"""

import textwrap
from collections.abc import Sequence
from typing import Final

from errand.presenting.safe_text import columns_of

WIDTH: Final = 76
"""Maximum characters of a line. That leaves room for the `> ` of replies."""
MAX_CELL: Final = 40
"""Maximum characters of a cell in a column. If one is longer, each row becomes a block of lines."""
MAX_LINES: Final = 60
"""Maximum lines of such blocks."""
GAP: Final = "  "

Rows = Sequence[Sequence[str]]


def wrapped(text: str, width: int = WIDTH) -> str:
    """Break a sentence into lines, never inside a word."""
    return textwrap.fill(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)


def table_as_text(columns: Sequence[str], rows: Rows, numeric: Sequence[bool], width: int = WIDTH) -> tuple[str, int]:
    """Return a table as text, and how many of its rows the text has.

    A table that fits is set in columns. Of any other, each row becomes a block with a line for each cell that isn't
    empty. `columns` may be empty texts: then no header is written.
    """
    lines = [columns, *rows] if any(columns) else list(rows)
    widths = [max(map(columns_of, cells)) for cells in zip(*lines, strict=True)]
    if max(widths) <= MAX_CELL and sum(widths) + len(GAP) * (len(widths) - 1) <= width:
        body = [_line(cells, widths, numeric) for cells in lines]
        if any(columns):
            body.insert(1, GAP.join("-" * each for each in widths))
        return "\n".join(body), len(rows)
    return _blocks(columns, rows, width)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = (_padded(*each) for each in zip(cells, widths, numeric, strict=True))
    return GAP.join(padded).rstrip() or "-"


def _padded(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - columns_of(cell))
    return blanks + cell if right else cell + blanks


def _blocks(columns: Sequence[str], rows: Rows, width: int) -> tuple[str, int]:
    blocks: list[str] = []
    lines = 0
    for row in rows:
        # without a header, each row is a name and its value
        named = zip(columns, row, strict=True) if any(columns) else [(row[0], row[1])]
        block = "\n".join(_entry(name, cell, width) for name, cell in named if cell)
        lines += block.count("\n") + 2
        if blocks and lines > MAX_LINES:
            break
        blocks.append(block)
    return ("\n\n" if any(columns) else "\n").join(blocks), len(blocks)


def _entry(name: str, cell: str, width: int) -> str:
    whole = f"{name}: {cell}"
    return textwrap.fill(whole, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
