"""The decorator that makes a typed function an operation, and the registry of all of them.

Stands at step 4 of a job's life. The function's signature and docstring are all there is to say: pydantic makes the
schemas from them, the API checks against these, and `Operation.call` checks once more before the function runs.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, create_model

from errand.errors import SettingsRefused
from errand.topology import COMPUTE
from schemas.operations import Operation as OperationSpec

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be computed: what it is told to others, its checked arguments, its function."""

    spec: OperationSpec
    arguments: type[BaseModel]
    function: Callable[..., Any]

    def call(self, arguments: str) -> Any:
        """Check `arguments` (a JSON object as text) and run the function; raise ValidationError or what it raises."""
        checked = self.arguments.model_validate_json(arguments)
        # the fields as they are: model_dump() would turn nested models into dicts
        return self.function(**checked.__dict__)


REGISTRY: dict[str, Operation] = {}


def operation(*, tiny: bool, service: str = COMPUTE) -> Callable[[Function], Function]:
    """Make the decorated function an operation of `service` under its own name.

    `tiny`: it takes well under a millisecond, whatever the arguments, so it runs inside the worker's process.
    """

    def register(function: Function) -> Function:
        name = function.__name__
        if name in REGISTRY:
            raise SettingsRefused(f"Two operations are called {name!r}; rename one of them.")
        if not tiny:
            raise SettingsRefused(f"The operation {name!r} is not tiny; only tiny ones can run so far.")
        model = _arguments_of(function)
        spec = OperationSpec(
            name=name,
            service=service,
            summary=(inspect.getdoc(function) or name).splitlines()[0],
            tiny=tiny,
            arguments=model.model_json_schema(),
            result=TypeAdapter(get_type_hints(function)["return"]).json_schema(),
        )
        REGISTRY[name] = Operation(spec, model, function)
        return function

    return register


def _arguments_of(function: Callable[..., Any]) -> type[BaseModel]:
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {
        name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
    }
    config = ConfigDict(extra="forbid", strict=True, title=function.__name__)
    return create_model(function.__name__, __config__=config, **fields)
