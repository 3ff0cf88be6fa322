"""Says in a sentence what pydantic finds wrong with a value that has to fit an `x-pydantic` schema.

`schema_faults.py` calls it.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from api.http.body import MOST_FAULTS, pointer
from api.http.json_text import Path
from schemas.arguments.verdict import Verdict, verdict
from schemas.problems import Fault

SENTENCES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "string_pattern_mismatch": lambda context: f"must match {json.dumps(context['pattern'], ensure_ascii=False)}",
    "string_too_short": lambda context: f"must have at least {counted(context['min_length'], 'character')}",
    "string_too_long": lambda context: f"must have at most {counted(context['max_length'], 'character')}",
    "too_short": lambda context: f"must have at least {counted(context['min_length'], _item(context))}",
    "too_long": lambda context: f"must have at most {counted(context['max_length'], _item(context))}",
    "multiple_of": lambda context: f"must be a multiple of {context['multiple_of']}",
    "int_type": lambda _: "must be a whole number, without quotes",
    "float_type": lambda _: "must be a number, without quotes",
    "uuid_type": lambda _: "must be a UUID, as a string",
    "url_type": lambda _: "must be a URL, as a string",
    "dict_type": lambda _: "must be a JSON object",
    "set_item_not_hashable": lambda _: "must not be a list or an object",
    **dict.fromkeys(("string_type", "bytes_type"), lambda _: "must be of type string"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), lambda _: "must be a list"),
    "decimal_type": lambda _: "must be a number, or a string with one",
    "json_type": lambda _: "must be a string of JSON",
    **dict.fromkeys(("date_past", "datetime_past"), lambda _: "must be in the past"),
}
"""Our sentence for each type of pydantic error; for other types, pydantic's own in the form of ours."""

_SUBJECT: Final = re.compile(
    r"^(?:[A-Z][a-z]+ )*(?:input |value )?should (?:be|have|match)\b|^Input should\b", re.IGNORECASE
)


def pydantic_faults(schema: Any, value: Any, at: Path) -> Iterator[Fault]:
    """Yield what is wrong with `value`, one sentence for each place; nothing if it fits.

    `at`: path of the value in the body.
    """
    try:
        _verdict(json.dumps(schema, sort_keys=True)).check(value)
    except ValidationError as error:
        rows = error.errors(include_url=False, include_input=False)[:MOST_FAULTS]
        for place, found in groupby(rows, lambda row: _place(row["loc"], value)):
            sentences = list(dict.fromkeys(map(_sentence, found)))
            yield Fault(pointer=pointer(*at, *place), detail=", or ".join(sentences[:3]))


def counted(number: object, thing: str) -> str:
    """Write a number of things: 1 item, 2 items."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


@lru_cache(maxsize=256)
def _verdict(schema_text: str) -> Verdict:
    return verdict(json.loads(schema_text))


def _place(steps: Path, value: Any) -> Path:
    """Return the steps that lead into the value; pydantic's others name a form of a union, or a key."""
    path: list[str | int] = []
    for step in steps:
        match value, step:
            case (dict(), str()) if step in value:
                value = value[step]
            case (list(), int()) if step < len(value):
                value = value[step]
            case _:
                break
        path.append(step)
    return tuple(path)


def _sentence(row: ErrorDetails) -> str:
    if row["type"] in SENTENCES:
        return SENTENCES[row["type"]](row.get("ctx", {}))
    message = row["msg"].removeprefix("Value error, ")
    if (subject := _SUBJECT.match(message)) is None:
        return f"is not valid: {message}"
    verb = subject[0].rpartition("should")[2]
    return f"must{verb}{message[subject.end() :]}"


def _item(context: dict[str, Any]) -> str:
    return "field" if context["field_type"] == "Dictionary" else "different item"
