"""Finds the shape in which people see a result: a table, a picture, a tree of members and items, or a text.

Used for mails (`workers/mail/writing/kind_words.py`) and for the page of a job (`api/pages/result.py`). Nothing here
raises on odd input: a result in no other shape is a text. Next: `layout.py`.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from errand.presenting import safe_text
from schemas.pictures import Picture

MAX_BYTES: Final = 67_108_864
"""Maximum characters of a result that may be a table: those of the largest MAX_RESULT_BYTES."""
MAX_VALUES: Final = 1_000_000
"""Maximum values of a list that is a table: to read more takes seconds."""
MAX_CELLS: Final = 100_000
"""Maximum cells of a table with empty ones: rows with different keys make a table far larger than they are."""
MAX_TREE: Final = 1_048_576
"""Maximum characters of a result that is shown as a tree; only its beginning can be shown anyway."""
EMPTY: Final = ("null", "[]", "{}")
"""Results that have nothing in them; people read `none`."""
MAX_ALT: Final = 1_000
"""Maximum characters of a picture's description."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

_EXTENSIONS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Table:
    """A result in rows. Each cell is text: a number as it was written, `true`, `false`, or nothing for null."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: the bytes of its file, and one line that describes it."""

    media_type: str
    content: bytes
    alt: str

    @property
    def extension(self) -> str:
        """The extension of its file's name."""
        return _EXTENSIONS[self.media_type]


@dataclass(frozen=True, slots=True)
class Tree:
    """An object or a list that is no table, parsed; it has something in it. Its numbers are `safe_text.Number`s."""

    value: dict[str, Any] | list[Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A result in no other shape: `content` is a text as itself, or anything else as the JSON `document`.

    Neither is cleaned: `content` has all that a client wrote.
    """

    content: str
    document: str


Shape = Table | Image | Tree | Text


def shape_of(document: str) -> Shape:
    """Find the shape of a result (JSON text)."""
    return table_of(document) or image_of(document) or tree_of(document) or text_of(document)


def table_of(document: str) -> Table | None:
    """Read a table: a list of flat objects, whose keys are the columns, or of plain values, in the column `value`."""
    if not document.startswith("[") or len(document) > MAX_BYTES:
        return None
    try:
        # numbers as text: no digit is lost, and none has too many digits for int()
        result = json.loads(document, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return table_from(result)


def table_from(items: list[Any]) -> Table | None:
    """Make a table of a parsed list, or return None if it does not make one."""
    kinds = {isinstance(item, dict) for item in items}
    if len(kinds) != 1 or any(isinstance(item, list) for item in items):
        return None
    if sum(map(len, items)) > MAX_VALUES if True in kinds else len(items) > MAX_VALUES:
        return None
    if True not in kinds:
        return Table(("value",), [(cell_of(item),) for item in items])
    columns = tuple(dict.fromkeys(key for item in items for key in item))
    held = sum(map(len, items))
    # without empty cells a table has no more cells than the result has values
    if not columns or (len(columns) * len(items) > max(MAX_CELLS, 2 * held)):
        return None
    if any(isinstance(value, dict | list) for item in items for value in item.values()):
        return None
    return Table(columns, [tuple(cell_of(item.get(column)) for column in columns) for item in items])


def tree_of(document: str) -> Tree | None:
    """Read an object or a list that has something in it."""
    if not document.startswith(("{", "[")) or len(document) > MAX_TREE:
        return None
    try:
        value = safe_text.parsed(document)
    except (ValueError, RecursionError):
        return None
    return Tree(value) if value else None


def image_of(document: str) -> Image | None:
    """Read a picture: a result with the members and the first bytes of a `schemas.pictures.Picture`."""
    if not document.startswith("{") or '"media_type"' not in document:
        return None
    try:
        result = json.loads(document)
        # pydantic refuses lone surrogates, but the picture is a picture whatever its description has in it
        alt = result.get("alt")
        words = {"alt": safe_text.one_line(alt, MAX_ALT)} if isinstance(alt, str) and len(alt) <= MAX_ALT else {}
        picture = Picture.model_validate(result | words)
    except (ValueError, RecursionError):
        return None
    return Image(picture.media_type, picture.content, safe_text.one_line(picture.alt, MAX_ALT))


def text_of(document: str) -> Text:
    """Read a text; anything else, and JSON that can't be read, is shown as it is in the store."""
    content = document
    if document.startswith('"'):
        with suppress(ValueError):
            content = str(json.loads(document))
    return Text(content, document)


def is_number(cell: str) -> bool:
    """Return whether a cell is a number."""
    return _NUMBER.fullmatch(cell) is not None


def cell_of(value: Any) -> str:
    """Write a plain value as a cell."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
