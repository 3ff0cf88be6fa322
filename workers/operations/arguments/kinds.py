"""The kinds of types that arguments may have, by the names of pydantic's core schemas, and why one can't be offered.

`settling.py` and `json_schema.py` go by these lists.
"""

import re
from typing import Final

from pydantic_core import SchemaError, SchemaValidator

from schemas.arguments.core_schema import Node

LENGTHS: Final = ("min_length", "max_length")
URLS: Final = frozenset({"url", "multi-host-url"})
TIMES: Final = frozenset({"date", "time", "datetime", "timedelta"})
LEAVES: Final = frozenset({"any", "none", "bool", "int", "float", "decimal", "str", "bytes", "uuid"}) | TIMES | URLS
"""Types without parts. No `complex`, which has no JSON form; no `fraction`, for which "1e999999999" takes for ever."""
VALUES: Final = LEAVES | {"literal", "enum"}
"""Types without parts, and choices of values."""
DICTS: Final = frozenset({"dict", "ordered-dict", "counter", "frozendict"})
LISTS: Final = frozenset({"list", "tuple", "set", "frozenset", "deque"})
CONTAINERS: Final = LISTS | DICTS | {"nullable", "union", "json"}
"""Types made of others that plain data describes."""
CLASSES: Final = frozenset({"model", "dataclass", "typed-dict", "named-tuple"})
MODELS: Final = CLASSES | {
    *("model-fields", "dataclass-args", "model-field", "dataclass-field", "typed-dict-field", "named-tuple-field"),
    *("default", "tagged-union", "definitions", "definition-ref", "lax-or-strict", "json-or-python"),
}
"""Types that have Python's classes in them, and what pydantic puts around other types."""
KNOWN: Final = VALUES | CONTAINERS | MODELS
SIZED: Final = LISTS | DICTS | {"str", "bytes"}
"""Types with a length."""
ORDERED: Final = TIMES | {"int", "float", "decimal"}
"""Types with bounds."""


class Inexact(Exception):
    """A type for which the API could not give the worker's verdict; the message says why, without a subject."""


def linear_pattern(pattern: str | re.Pattern[str]) -> str:
    """Return the pattern as text; raise Inexact if the engine that never backtracks can't run it."""
    if isinstance(pattern, re.Pattern):
        if pattern.flags != re.UNICODE:
            raise Inexact(f"has the pattern {pattern.pattern!r} with flags; write them into the pattern: `(?i)…`")
        pattern = pattern.pattern
    try:
        SchemaValidator({"type": "str", "pattern": pattern})
    except SchemaError as error:
        raise Inexact(f"{unusable(error)}: {pattern!r}") from None
    return pattern


def unusable(error: SchemaError) -> str:
    """Say in one line why pydantic can't check a type; its error on a regular expression fills several."""
    reason = str(error).strip().splitlines()[-1].strip().removeprefix("error: ").rstrip(".")
    if "regex" in str(error):
        return f"has a pattern that can't be matched in linear time ({reason})"
    return f"can't be checked ({reason})"


def with_article(node: Node) -> str:
    """Return the kind of a type with its article."""
    kind = node["type"]
    return f"an `{kind}`" if kind[0] in "aeiou" else f"a `{kind}`"
