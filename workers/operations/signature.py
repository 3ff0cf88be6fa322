"""Derives the types and schemas of a function's arguments and result from its signature.

`registry.py` calls it once for each operation, when the operation's module is loaded. `arguments/settling.py`
makes the types exact.
"""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, create_model
from pydantic_core import SchemaError

from errand.errors import SettingsRefused
from schemas.arguments.core_schema import Node
from schemas.arguments.verdict import Verdict
from schemas.key_order import KeysAsGiven
from workers.operations.arguments.json_schema import ExactSchema, refuse_slow_patterns
from workers.operations.arguments.kinds import VALUES, Inexact, unusable
from workers.operations.arguments.settling import inlined, settled

Checked = TypeVar("Checked")
BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What an operation takes: as JSON Schema for the API, and as pydantic's verdict for the worker."""

    schema: dict[str, Any]
    verdict: Verdict

    def read(self, text: str) -> dict[str, Any]:
        """Parse a JSON object into keyword arguments; raise pydantic's ValidationError."""
        # not model_dump(), which would turn nested models into dicts
        return dict(self.verdict.read(text).__dict__)


def arguments_of(function: Callable[..., Any]) -> Arguments:
    """Return a function's arguments, given by name; nothing is converted, and unknown ones are refused."""
    core = dict(_model_of(function).__pydantic_core_schema__)
    try:
        core = _exactly(core)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about defaults that JSON can't show
            schema = ExactSchema().generate(core)
        for name, part in (*schema.get("properties", {}).items(), *schema.get("$defs", {}).items()):
            _of(f"the parameter {name!r}", refuse_slow_patterns, part)
        return Arguments(schema, Verdict(core))
    except Inexact as fault:
        raise _refused(function, str(fault)) from fault
    except Exception as error:
        raise _refused(function, f"has parameters that can't be described as JSON: {_first_line(error)}") from error


def _exactly(core: Node) -> Node:
    """Settle each parameter's type; Inexact names the parameter."""
    match core:
        case {"type": "definitions", "schema": model, "definitions": parts}:
            values = {part["ref"]: part for part in parts if part["type"] in VALUES}
            classes = [inlined(part, values) for part in parts if part["ref"] not in values]
            types = [_of(f"the type {_name_of(part)!r}", settled, part, {}) for part in classes]
            return {**core, "schema": _exactly(inlined(model, values)), "definitions": types}
        case {"type": "model", "schema": {"type": "model-fields", "fields": fields} as inner}:
            config = core["config"]
            parameters = {
                name: _of(f"the parameter {name!r}", settled, field, config) for name, field in fields.items()
            }
            return {**core, "schema": {**inner, "fields": parameters}}
    raise AssertionError(f"arguments are no model but {core['type']}")


def _of(name: str, check: Callable[..., Checked], *arguments: Any) -> Checked:
    """Call `check`, whose fault is that of a parameter or a type."""
    try:
        return check(*arguments)
    except Inexact as fault:
        raise Inexact(f"can't be offered: {name} {fault}") from fault


def _name_of(part: Node) -> str:
    reference: str = part["ref"]
    return reference.partition(":")[0].rpartition(".")[2]


def _model_of(function: Callable[..., Any]) -> type[BaseModel]:
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
    try:
        return _built(function.__name__, config, fields)
    except SchemaError as error:
        raise _refused(function, _unbuilt(config, fields, error)) from error
    except Exception as error:
        raise _refused(function, f"has parameters that can't be described as JSON: {_first_line(error)}") from error


def _built(name: str, config: ConfigDict, fields: dict[str, Any]) -> type[BaseModel]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*shadows an attribute in parent")
        return create_model(name, __config__=config, **fields)


def _unbuilt(config: ConfigDict, fields: dict[str, Any], error: SchemaError) -> str:
    """Say which parameter pydantic can't check, and why; mostly for its pattern."""
    for name, field in fields.items():
        try:
            _built(name, config, {name: field})
        except SchemaError as found:
            return f"can't be offered: the parameter {name!r} {unusable(found)}"
    return f"can't be offered: it {unusable(error)}"


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
