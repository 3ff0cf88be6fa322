"""Words a result: as a picture, as rows, or as text, with the whole of it in an attachment where that helps.

Used by `words.py`.
"""

from collections.abc import Mapping
from typing import Any, Final

from errand.presenting import safe_text
from errand.presenting.json_layout import indented
from errand.presenting.result_shape import Image, Table, shape_of
from workers.mail.writing.attachments import Attachment, json_file, picture_file, table_file
from workers.mail.writing.rows import ResultRows, rows_of, rows_of_fields

MAX_SHOWN: Final = 10_000
"""Maximum characters of a result that a mail shows whole; all of a longer one is attached or behind the link."""
MAX_PART: Final = 2_000
"""Maximum characters shown of a longer result."""
MAX_LINE: Final = 60
"""Maximum characters of JSON on one line; longer JSON is indented."""

Variables = dict[str, Any]
"""Variables of templates, by name (docs/mail.md)."""

_NONE: Final[Variables] = dict.fromkeys(("text", "indented", "rows", "picture", "shown", "size"))


def describe_result(operation: str, document: str, most: int) -> tuple[Variables, Attachment | None]:
    """Return the variables for a result (JSON text), and its attachment, which has at most `most` bytes.

    Exactly one of `text`, `rows` and `picture` is not None.
    """
    match shape_of(document):
        case Image() as image:
            return _picture(image, picture_file(operation, image, most))
        case Table() as table:
            return _rows(rows_of(table), table_file(operation, table, most))
    if fields := rows_of_fields(document):
        return _rows(fields, None)
    return _text(operation, document, most)


def without_file(variables: Mapping[str, Any]) -> Variables:
    """Return the variables for the same result without its attachment."""
    bare = {**variables, "file": None}
    if picture := variables["picture"]:
        bare |= {"picture": picture | {"source": None}, "whole": False}
    return bare


def _picture(image: Image, file: Attachment | None) -> tuple[Variables, Attachment | None]:
    source = f"cid:{file.cid}" if file else None
    picture = {"source": source, "alt": image.alt or "(a picture without a description)"}
    return _described(file, whole=file is not None, picture=picture)


def _rows(rows: ResultRows, file: Attachment | None) -> tuple[Variables, Attachment | None]:
    return _described(file, whole=rows.whole, rows=rows, shown=len(rows.rows), size=rows.size)


def _text(operation: str, document: str, most: int) -> tuple[Variables, Attachment | None]:
    text, size = safe_text.result(document, MAX_SHOWN)
    whole = size <= MAX_SHOWN
    text = text if whole else text[:MAX_PART]
    file = None if whole else json_file(operation, document, most)
    return _described(file, whole=whole, shown=len(text), size=size, **_in_lines(document, text))


def _in_lines(document: str, text: str) -> Variables:
    """Indent JSON that is too long for one line, unless that would make a mail so large that mail programs cut it."""
    if document.startswith(("{", "[")) and len(text) > MAX_LINE:
        lines = indented(text)
        if len(lines) <= 4 * MAX_SHOWN:
            return {"text": indented(text, None), "indented": lines}
    return {"text": text}


def _described(file: Attachment | None, *, whole: bool, **variables: Any) -> tuple[Variables, Attachment | None]:
    return _NONE | variables | {"whole": whole, "file": file.name if file else None}, file
