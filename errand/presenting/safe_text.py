"""Turns what clients wrote (arguments, results, errors, subjects) into text that is safe to show to people.

Used for mails (`workers/mail/writing/kind_words.py`) and for the page of a job (`api/pages/job.py`). Nothing here
raises on odd input: text that reads a little worse is better than none.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

MAX_ARGUMENTS = 200
"""Maximum characters of the arguments in words."""
MAX_VALUE = 80
"""Maximum characters of one argument."""

_LINE_END = re.compile("\r\n|[\r\f\v\x85\u2028\u2029]")

# direction marks: they can make the text around them read as something else
_BIDI = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])


class Number(str):
    """A number exactly as the JSON text has it: no digit is lost, and none has too many digits for int()."""

    __slots__ = ()


def clean(text: str) -> str:
    """Keep lines and tabs, normalise line ends, and replace other control characters and lone surrogates by `�`.

    A form feed, a vertical tab and Unicode's own line ends are line ends too.
    """
    lines = _LINE_END.sub("\n", text)
    return "".join(c if c.isprintable() or not _harmful(c) else "\N{REPLACEMENT CHARACTER}" for c in lines)


def _harmful(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs")


def one_line(text: str, most: int) -> str:
    """Put a text on one line of at most `most` characters, without control characters and direction marks."""
    # the text may be megabytes long, and only its beginning is needed
    kept = clean(text[: most * 8]).replace("\N{REPLACEMENT CHARACTER}", " ").translate(_BIDI)
    line = " ".join(kept.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def operation(name: str, arguments: str) -> str:
    """Say what was asked for: `sum of value 30, other 10`. `arguments` is JSON text."""
    name = one_line(name, MAX_VALUE) or "operation"
    try:
        given = parsed(arguments).items()
        words = _joined((f"{one_line(key, MAX_VALUE)} {_value(value)}" for key, value in given), MAX_ARGUMENTS)
    except (ValueError, AttributeError, RecursionError):
        return name
    return f"{name} of {one_line(words, MAX_ARGUMENTS)}" if words else name


def file_stem(operation: str) -> str:
    """Name a file after its operation, in ASCII and without an extension."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", one_line(operation, MAX_VALUE)).strip("_") or "result"


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_columns_of_character, text))


def _columns_of_character(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def parsed(document: str) -> Any:
    """Parse JSON, with each number as a `Number`; raise ValueError, RecursionError."""
    return json.loads(document, parse_int=Number, parse_float=Number, parse_constant=Number)


def _value(value: Any) -> str:
    match value:
        case Number():
            words = str(value)
        case str():
            words = f"“{one_line(value, MAX_VALUE)}”"
        case list():
            words = f"[{_joined(map(_value, value), MAX_VALUE)}]"
        case dict():
            words = f"{{{_joined((f'{key}: {_value(held)}' for key, held in value.items()), MAX_VALUE)}}}"
        case _:
            words = json.dumps(value)  # true, false, null
    return one_line(words, MAX_VALUE)


def _joined(pieces: Iterable[str], most: int) -> str:
    """Join as many pieces as fit, and one more, so that the cut shows; the rest are never made."""
    kept: list[str] = []
    length = 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece) + 2
        if length > most + 2:
            break
    return ", ".join(kept)
