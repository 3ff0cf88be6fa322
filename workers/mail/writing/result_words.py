"""Words a result: as a picture, as rows, or as text.

Used by `kind_words.py`.
"""

from typing import Any, Final

from errand.presenting import safe_text
from errand.presenting.json_layout import indented
from errand.presenting.result_shape import Fields, Image, Shape, Table, Text
from workers.mail.writing.attachments import MAX_SHOWN, Attachment
from workers.mail.writing.rows import ResultRows, rows_of, rows_of_fields

MAX_PART: Final = 2_000
"""Maximum characters shown of a text that has more than MAX_SHOWN."""
MAX_LINE: Final = 60
"""Maximum characters of JSON on one line; longer JSON is indented."""

Variables = dict[str, Any]
"""Variables of templates, by name (docs/mail.md)."""

_NONE: Final[Variables] = dict.fromkeys(("text", "indented", "rows", "picture", "shown", "size"))


def result_words(shape: Shape, file: Attachment | None) -> Variables:
    """Return the variables for a result of this shape. Exactly one of `text`, `rows` and `picture` is not None."""
    match shape:
        case Text():
            words = _text(shape)
        case Table():
            words = _rows(rows_of(shape))
        case Fields():
            words = _rows(rows_of_fields(shape))
        case Image(alt=alt):
            picture = {"source": f"cid:{file.cid}" if file else None, "alt": alt or "(a picture without a description)"}
            words = {"picture": picture, "whole": file is not None}
    return _NONE | words | {"file": file.name if file else None}


def _text(shape: Text) -> Variables:
    size = len(shape.content)
    text = safe_text.clean(shape.content[:MAX_SHOWN])
    text = text if size <= MAX_SHOWN else text[:MAX_PART]
    words: Variables = {"text": text, "whole": size <= MAX_SHOWN, "shown": len(text), "size": size}
    if shape.document.startswith(("{", "[")) and len(text) > MAX_LINE:
        lines = indented(text)
        if len(lines) <= 4 * MAX_SHOWN:  # mail programs cut larger mails
            words |= {"text": indented(text, None), "indented": lines}
    return words


def _rows(rows: ResultRows) -> Variables:
    return {"rows": rows, "whole": rows.whole, "shown": len(rows.rows), "size": rows.size}
