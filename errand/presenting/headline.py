"""Writes the headline of a job, for the subjects of its mails: `sum(30, 10): 40`.

Used by `workers/mail/writing/kind_words.py`. A subject is read on locked screens and by mail servers, so a headline
holds numbers and `true` or `false` only, no text that a client wrote, and none of them where a name sounds secret.
"""

import re
from typing import Any, Final

from errand.presenting.safe_text import Number, one_line, parsed

MAX_NAME: Final = 60
"""Maximum characters of the operation's name."""
MAX_VALUE: Final = 20
"""Maximum characters of a number; one that is longer is left out."""
MAX_VALUES: Final = 3
"""Maximum number of arguments; of more, none is shown."""

_SECRET: Final = re.compile(
    "pass|secret|token|key|pin|code|card|cvv|cvc|account|iban|ssn|salary|wage|birth|phone|private", re.IGNORECASE
)


def headline(operation: str, arguments: str, result: str = "") -> str:
    """Write the operation with its arguments and its result, as far as all may read them. Both are JSON text."""
    name = one_line(operation, MAX_NAME) or "operation"
    given = _object(arguments)
    if any(_SECRET.search(key) for key in given):
        return name
    shown = [words for value in given.values() if (words := _words(value))]
    call = f"{name}({', '.join(shown)})" if 0 < len(shown) <= MAX_VALUES else name
    answer = _words(_value(result)) if len(result) <= MAX_VALUE else ""
    return f"{call}: {answer}" if answer else call


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, Number) and len(value) <= MAX_VALUE else ""


def _object(document: str) -> dict[str, Any]:
    value = _value(document)
    return value if isinstance(value, dict) else {}


def _value(document: str) -> Any:
    try:
        return parsed(document)
    except (ValueError, RecursionError):
        return None
