"""Derives the models and schemas of a function's arguments and result from its signature.

`registry.py` calls it once for each operation, when the operation's module is loaded.
"""

import inspect
import warnings
from collections.abc import Callable
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, create_model

from errand.errors import SettingsRefused
from schemas.key_order import KeysAsGiven

BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def arguments_of(function: Callable[..., Any]) -> type[BaseModel]:
    """Return the model of a function's arguments, given by name; it converts nothing and refuses unknown ones."""
    hints = _hints_of(function)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in BY_NAME:
            raise _refused(function, f"takes {parameter}; give every parameter a name of its own, without * and /")
        if name not in hints:
            raise _refused(function, f"has the parameter {name!r} without a type; annotate it")
        fields[name] = (hints[name], ... if parameter.default is parameter.empty else parameter.default)
    # protected_namespaces: a parameter may be called model_something, or copy
    config = ConfigDict(extra="forbid", strict=True, title=function.__name__, protected_namespaces=())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*shadows an attribute in parent")
        try:
            model = create_model(function.__name__, __config__=config, **fields)
            model.model_json_schema()
        except Exception as error:
            raise _refused(function, f"has parameters that can't be described as JSON: {_first_line(error)}") from error
    return model


def result_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the JSON Schema of a function's result."""
    hints = _hints_of(function)
    if "return" not in hints:
        raise _refused(function, "doesn't say what it returns; annotate it with `-> …`")
    try:
        return TypeAdapter(hints["return"]).json_schema(mode="serialization", schema_generator=KeysAsGiven)
    except Exception as error:
        raise _refused(function, f"has a result that can't be described as JSON: {_first_line(error)}") from error


def _hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except Exception as error:
        raise _refused(function, f"has an annotation that can't be read: {_first_line(error)}") from error


def _refused(function: Callable[..., Any], fault: str) -> SettingsRefused:
    return SettingsRefused(f"The operation {function.__name__!r} {fault}.")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
