"""Lays out what stands in a mail's text part, in lines of at most 76 characters: sentences and tables.

Stands under `words.py` and the templates. Nothing is cut here, and nothing raises on odd input: a single word that
is longer than a line gets a longer line.
"""

import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Final

WIDTH: Final = 76
"""Characters of a line of a mail's text, as those who answer it have two for each `> `."""
MAX_CELL: Final = 40
"""Characters of a cell that still stands in a column; with longer ones, rows are laid out one below the other."""
MAX_LINES: Final = 60
"""Lines of rows that are laid out one below the other."""
GAP: Final = "  "

Rows = Sequence[Sequence[str]]


def wrapped(text: str, width: int = WIDTH) -> str:
    """Break a sentence into lines, but never inside a word."""
    return textwrap.fill(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)


def laid_out(columns: Sequence[str], rows: Rows, numeric: Sequence[bool]) -> tuple[str, int]:
    """Lay a table out as text, and tell how many of its rows are in it.

    It stands in columns where it fits; else its rows are one below the other, a line for each cell that isn't empty.
    """
    lines = [columns, *rows] if any(columns) else list(rows)
    widths = [max(map(_width, cells)) for cells in zip(*lines, strict=True)]
    if max(widths) <= MAX_CELL and sum(widths) + len(GAP) * (len(widths) - 1) <= WIDTH:
        body = [_line(cells, widths, numeric) for cells in lines]
        if any(columns):
            body.insert(1, GAP.join("-" * width for width in widths))
        return "\n".join(body), len(rows)
    return _one_below_the_other(columns, rows)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = (_padded(*each) for each in zip(cells, widths, numeric, strict=True))
    return GAP.join(padded).rstrip() or "-"


def _padded(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(cell))
    return blanks + cell if right else cell + blanks


def _one_below_the_other(columns: Sequence[str], rows: Rows) -> tuple[str, int]:
    blocks: list[str] = []
    lines = 0
    for row in rows:
        # a table of two columns without names has a name in the first
        named = zip(columns, row, strict=True) if any(columns) else [(row[0], row[1])]
        block = "\n".join(_entry(name, cell) for name, cell in named if cell)
        lines += block.count("\n") + 2
        if blocks and lines > MAX_LINES:
            break
        blocks.append(block)
    return ("\n\n" if any(columns) else "\n").join(blocks), len(blocks)


def _entry(name: str, cell: str) -> str:
    whole = f"{name}: {cell}"
    return textwrap.fill(whole, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _width(text: str) -> int:
    """Count the columns that a text takes where every character has the same width."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
