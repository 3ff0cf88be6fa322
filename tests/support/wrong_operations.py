"""Functions that can't be operations, each for a reason of its own."""

import threading
from typing import Any


def untyped(value) -> int:
    """Take what has no type."""
    return value


def unsaid(value: int):
    """Don't say what comes out."""
    return value


def many(*values: int) -> int:
    """Take any number of values."""
    return len(values)


def named(**values: int) -> int:
    """Take values of any name."""
    return len(values)


def unnamed(value: int, /) -> int:
    """Take a value without its name."""
    return value


def unheard_of(value: "Nothing") -> int:  # noqa: F821 -- that there is no such name is the point
    """Take what nobody has heard of."""
    return value


def shapeless(value: threading.Thread) -> int:
    """Take what JSON can't say."""
    return value.native_id


def several(value: int) -> Any:
    """Give results one after the other."""
    yield value
