"""Reads a request's query parameters, or refuses the first invalid one with a sentence."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

from flask import request

from errand.errors import ParameterRefused

_WHOLE: Final = re.compile("[1-9][0-9]{0,3}")


ParameterCheck = tuple[Callable[[str], object], str]
"""The check of a parameter, and the sentence for a value that fails it."""


def one_of(texts: Collection[str]) -> ParameterCheck:
    """Make the check of a parameter that has one of these values."""
    return lambda text: text in texts, f"must be one of {', '.join(texts)}"


def up_to(most: int) -> ParameterCheck:
    """Make the check of a parameter that is a whole number from 1 to `most`."""
    return lambda text: _WHOLE.fullmatch(text) and int(text) <= most, f"must be a whole number from 1 to {most}"


def checked_parameters(checks: Mapping[str, ParameterCheck]) -> dict[str, str]:
    """Return this request's query parameters by name. Raises ParameterRefused."""
    parameters: dict[str, str] = {}
    for name, text in request.args.items(multi=True):
        if name not in checks:
            known = ", ".join(checks)
            raise ParameterRefused(
                f"`{name[:64]}` is not a known parameter; known parameters are {known}.", parameter=name[:64]
            )
        is_valid, requirement = checks[name]
        if name in parameters or not is_valid(text):
            raise ParameterRefused(
                f"`{name}` {'is given twice' if name in parameters else requirement}.", parameter=name
            )
        parameters[name] = text
    return parameters
