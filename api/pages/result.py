"""Shows a result on the page of a job, and writes it as a file: a table, a picture, a tree or a text.

Next: `errand/presenting/result_shape.py`, which tells them apart, and
`lay_out.py`, which decides how much of it is shown.
"""

from dataclasses import dataclass
from typing import Any, Final

from errand.presenting import safe_text
from errand.presenting.json_layout import indented
from errand.presenting.lay_out import Limits, lay_out
from errand.presenting.result_shape import EMPTY, Image, Table, Text, Tree, shape_of
from errand.presenting.table_csv import csv_of

MAX_SHOWN: Final = 20_000
"""Maximum characters shown of a text; its file has all of them."""
LIMITS: Final = Limits(
    budget=240_000,
    rows=200,
    rows_in_part=200,
    columns=30,
    cell=300,
    text=4_000,
    items=100,
    members=200,
    depth=8,
    markup=60,
)
"""How much is shown of a table or a tree."""
SHORT: Final = 24
"""Maximum characters of a result that is shown in large type and needs no file."""
BUTTONS: Final = {
    "csv": "Download as CSV",
    "picture": "Download the picture",
    "text": "Download as text",
    "json": "Download as JSON",
}
"""The kinds of file of a result, and the labels of their buttons."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A result as a file."""

    extension: str
    media_type: str
    content: bytes


def result_view(document: str) -> dict[str, Any]:
    """Return what the page shows of a result (JSON text): `picture`, `layout` or `text`, and the `files`."""
    match shape_of(document):
        case Image() as image:
            return {"picture": image.alt or "A picture without a description", "files": _buttons("picture")}
        case Table() as table:
            return {"layout": lay_out(table, LIMITS), "files": _buttons("csv", "json")}
        case Tree() as tree:
            return {"layout": lay_out(tree, LIMITS), "files": _buttons("json")}
        case Text() as text:
            return _text_view(text)


def result_file(document: str, kind: str) -> ResultFile | None:
    """Write a result (JSON text) as a file of a kind in BUTTONS; None if it can't be written as this kind."""
    match kind, None if kind == "json" else shape_of(document):
        case "csv", Table() as table:
            return ResultFile("csv", "text/csv; charset=utf-8", csv_of(table) or b"")
        case "picture", Image() as image:
            return ResultFile(image.extension, image.media_type, image.content)
        case "text", Text(content) if document.startswith('"'):
            return ResultFile("txt", "text/plain; charset=utf-8", safe_text.clean(content).encode())
        case "json", _:
            return ResultFile("json", "application/json", document.encode("utf-8", "replace"))
    return None


def _text_view(text: Text) -> dict[str, Any]:
    size = len(text.content)
    shown = safe_text.clean(text.content[:MAX_SHOWN])
    kind = "text" if text.document.startswith('"') else "json"
    of_json = " of its JSON" if text.document.startswith(("{", "[")) else ""
    return {
        "text": "none"
        if text.document in EMPTY
        else indented(shown)
        if text.document.startswith(("{", "["))
        else shown,
        "short": size <= SHORT,
        "cut": f"the first {MAX_SHOWN:,} of {size:,} characters{of_json}" if size > MAX_SHOWN else "",
        "files": _buttons(kind) if size > SHORT else [],
    }


def _buttons(*kinds: str) -> list[tuple[str, str]]:
    return [(kind, BUTTONS[kind]) for kind in kinds]
