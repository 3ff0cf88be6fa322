"""Turns what clients wrote (arguments, results, errors, subjects) into words that are safe to show to people.

Stands at step 6 of a job's life, under mails (`workers/mail/writing/letter.py`) and the page of a job
(`api/pages/job.py`). Nothing here raises on odd input: what reads a little worse beats nothing. Next:
`result_shape.py`, for what isn't words.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

MAX_ARGUMENTS = 200
"""Characters of the arguments when they are told in words."""
MAX_VALUE = 80
"""Characters of one argument."""

# they turn the direction of the text around them, so that it reads as something else
_BIDI = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])


class _Literal(str):
    """A number exactly as the JSON text has it: no digit is lost, and no length is too long."""

    __slots__ = ()


def clean(text: str) -> str:
    """Keep a text's lines and tabs; make line ends plain and other control characters and lone surrogates visible."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c.isprintable() or not _harmful(c) else "\N{REPLACEMENT CHARACTER}" for c in lines)


def _harmful(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs")


def one_line(text: str, most: int) -> str:
    """Put a text on one line of at most `most` characters, without control characters and direction marks."""
    # far more than `most` is not looked at: the text may be megabytes
    kept = clean(text[: most * 8]).replace("\N{REPLACEMENT CHARACTER}", " ").translate(_BIDI)
    line = " ".join(kept.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def operation(record: Mapping[str, str]) -> str:
    """Say what was asked for: `sum of value 30, other 10`."""
    name = one_line(record.get("operation", ""), MAX_VALUE) or "operation"
    try:
        arguments = _parsed(record.get("arguments", "")).items()
        told = _joined((f"{one_line(key, MAX_VALUE)} {_value(value)}" for key, value in arguments), MAX_ARGUMENTS)
    except (ValueError, AttributeError, RecursionError):
        return name
    return f"{name} of {one_line(told, MAX_ARGUMENTS)}" if told else name


def result(document: str, most: int) -> tuple[str, int]:
    """Show the first `most` characters of a result, a text as itself and all else as its JSON, and tell its length."""
    shown = document
    if document.startswith('"'):
        with suppress(ValueError):  # what can't be read is shown as it was stored
            shown = str(json.loads(document))
    return clean(shown[:most]), len(shown)


def error(document: str, most: int) -> tuple[str, str]:
    """Give the type of an error and its message of at most `most` characters, without a stop at the end."""
    try:
        found = _parsed(document)
        type_, message = str(found["type"]), str(found["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "Error", ""
    return one_line(type_, MAX_VALUE) or "Error", one_line(message, most).rstrip(".")


def _parsed(document: str) -> Any:
    return json.loads(document, parse_int=_Literal, parse_float=_Literal, parse_constant=_Literal)


def _value(value: Any) -> str:
    match value:
        case _Literal():
            told = str(value)
        case str():
            told = f"“{one_line(value, MAX_VALUE)}”"
        case list():
            told = f"[{_joined(map(_value, value), MAX_VALUE)}]"
        case dict():
            told = f"{{{_joined((f'{key}: {_value(held)}' for key, held in value.items()), MAX_VALUE)}}}"
        case _:
            told = json.dumps(value)  # true, false, null
    return one_line(told, MAX_VALUE)


def _joined(pieces: Iterable[str], most: int) -> str:
    """Join as many as there is room for, and one more, so that it is seen that there are; the others aren't made."""
    kept: list[str] = []
    length = 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece) + 2
        if length > most + 2:
            break
    return ", ".join(kept)
