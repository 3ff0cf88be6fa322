"""Shows a result on the page of a job, and writes it as a file: a table, a picture, fields or a text.

Next: `errand/presenting/result_shape.py`, which tells them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from errand.presenting import safe_text
from errand.presenting.json_layout import indented
from errand.presenting.result_shape import Fields, Image, Table, Text, is_number, shape_of
from errand.presenting.table_csv import csv_of

MAX_SHOWN: Final = 20_000
"""Maximum characters shown of a result; its file has all of them."""
MAX_ROWS: Final = 200
MAX_COLUMNS: Final = 30
MAX_CELL: Final = 300
"""Maximum rows and columns shown of a table, and maximum characters of a cell."""
SHORT: Final = 24
"""Maximum characters of a result that is shown in large type and needs no file."""
MAX_LINE: Final = 60
"""Maximum characters of JSON that is shown on one line."""

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


@dataclass(frozen=True, slots=True)
class ResultTable:
    """Rows of a table. Without columns, each row is a name and its value. `cut` says which part of it is shown."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    numeric: tuple[bool, ...]
    cut: str = ""


def result_view(document: str) -> dict[str, Any]:
    """Return what the page shows of a result (JSON text): `picture`, `rows` or `text`, and the `files`."""
    match shape_of(document, MAX_CELL):
        case Image() as image:
            return {"picture": image.alt or "A picture without a description", "files": _buttons("picture")}
        case Table() as table:
            return {"rows": _first_rows(table), "files": _buttons("csv", "json")}
        case Fields(members):
            return {"rows": ResultTable((), list(members), _numeric(members)), "files": _buttons("json")}
        case Text() as text:
            return _text_view(text)


def result_file(document: str, kind: str) -> ResultFile | None:
    """Write a result (JSON text) as a file of a kind in BUTTONS; None if it can't be written as this kind."""
    match kind, None if kind == "json" else shape_of(document, MAX_CELL):
        case "csv", Table() as table:
            return ResultFile("csv", "text/csv; charset=utf-8", csv_of(table))
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
    return {
        "text": indented(shown) if kind == "json" and size > MAX_LINE else shown,
        "short": size <= SHORT,
        "cut": f"the first {MAX_SHOWN:,} of {size:,} characters" if size > MAX_SHOWN else "",
        "files": _buttons(kind) if size > SHORT else [],
    }


def _buttons(*kinds: str) -> list[tuple[str, str]]:
    return [(kind, BUTTONS[kind]) for kind in kinds]


def _first_rows(table: Table) -> ResultTable:
    columns = tuple(_cell(name) for name in table.columns[:MAX_COLUMNS])
    rows = [tuple(_cell(cell) for cell in row[:MAX_COLUMNS]) for row in table.rows[:MAX_ROWS]]
    sizes = [(len(rows), len(table.rows), "rows"), (len(columns), len(table.columns), "columns")]
    left_out = [f"the first {shown:,} of {size:,} {what}" for shown, size, what in sizes if shown < size]
    if not left_out and any(len(cell) > MAX_CELL for row in table.rows for cell in row):
        left_out = [f"the first {MAX_CELL} characters of long cells"]
    return ResultTable(columns, rows, _numeric(rows), " and ".join(left_out))


def _numeric(rows: Sequence[tuple[str, ...]]) -> tuple[bool, ...]:
    """Return for each column whether all its cells are numbers."""
    return tuple(all(is_number(cell) for cell in cells if cell) for cells in zip(*rows, strict=True))


def _cell(text: str) -> str:
    return safe_text.one_line(text, MAX_CELL)
