"""Words a result: as a picture, as a layout, or as text.

Used by `kind_words.py`. Next: `layout_text.py`, for the text part.
"""

from typing import Any, Final

from errand.presenting import safe_text
from errand.presenting.json_layout import indented
from errand.presenting.lay_out import Limits, lay_out
from errand.presenting.result_shape import EMPTY, Image, Shape, Table, Text, Tree
from workers.mail.writing.layout_text import layout_as_text

BUDGET: Final = 45_000
"""Bytes of HTML that a result may take: mail programs cut a mail's HTML part at 102 KB, in all its bytes."""
MAX_SHOWN: Final = 10_000
"""Maximum characters of a text that a mail shows whole; all of a longer one is attached or behind the link."""
MAX_PART: Final = 2_000
"""Maximum characters shown of a text that has more than MAX_SHOWN."""
MAX_EARLY: Final = 400
"""Maximum characters of a text that stands before the button, since nothing of so short a mail is cut."""
MAX_ROWS: Final = 50
"""Maximum rows of a table that is shown whole."""
ROWS_IN_PART: Final = 20
"""Rows shown of a longer table."""
MAX_COLUMNS: Final = 20
MAX_CELLS: Final = 240
"""Maximum cells of a table: the rows of a wide one are cards, which take a line for each cell."""
MAX_CELL: Final = 200
"""Maximum characters of a cell."""

Variables = dict[str, Any]
"""Variables of templates, by name (docs/mail.md)."""

_NONE: Final[Variables] = dict.fromkeys(
    ("text", "layout", "layout_text", "picture", "whole_in_text", "shown", "size", "file")
)


def result_words(shape: Shape, budget: int = BUDGET) -> Variables:
    """Return the variables for a result of this shape. Exactly one of `text`, `layout` and `picture` is not None."""
    match shape:
        case Text():
            words = _text(shape, budget)
        case Table() | Tree():
            words = _layout(shape, budget)
        case Image(alt=alt):
            words = {"picture": {"source": None, "alt": alt or "(a picture without a description)"}, "whole": False}
    return _NONE | {"early": False, "is_json": False} | words


def _text(shape: Text, budget: int) -> Variables:
    most = min(MAX_SHOWN, budget // 4)
    size = len(shape.content)
    text = safe_text.clean(shape.content[:most])
    text = text if size <= most else text[: min(MAX_PART, most)]
    words: Variables = {"text": text, "whole": size <= most, "shown": len(text), "size": size}
    if shape.document in EMPTY:
        words["text"] = "none"
    elif shape.document.startswith(("{", "[")) and len(lines := indented(text, None)) <= 2 * MAX_SHOWN:
        words["text"] = lines
    is_json = shape.document.startswith(("{", "[")) and shape.document not in EMPTY
    return words | {"whole_in_text": words["whole"], "early": len(words["text"]) <= MAX_EARLY, "is_json": is_json}


def _layout(shape: Table | Tree, budget: int) -> Variables:
    limits = Limits(budget, MAX_ROWS, ROWS_IN_PART, MAX_COLUMNS, MAX_CELL, MAX_CELLS)
    layout = lay_out(shape, limits)
    text, whole_in_text = layout_as_text(layout)
    return {"layout": layout, "layout_text": text, "whole": layout.whole, "whole_in_text": whole_in_text}
