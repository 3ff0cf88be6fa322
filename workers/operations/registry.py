"""The decorator that makes a typed function an operation, and the registry of all of them.

Stands at step 4 of a job's life. A function's signature and docstring are all there is to say: `signature.py` makes its
schemas from them, the API checks against these, and `RegisteredOperation.check` checks again.
"""

import inspect
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from errand.errors import SettingsRefused
from schemas.operations import COMPUTE, Example, Limits
from schemas.operations import Operation as OperationSpec
from workers.operations.signature import arguments_of, result_of

Function = TypeVar("Function", bound=Callable[..., Any])
Reporter = Callable[[float, str | None], None]
"""Takes how far an operation has come, 0 to 1, and what it does."""

SERVICE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
NOT_FOR_OPERATIONS = ("mail", "rescuer")
"""Services that compute nothing."""


@dataclass(frozen=True, slots=True)
class RegisteredOperation:
    """One thing that can be computed: what others are told of it, its checked arguments, its function."""

    spec: OperationSpec
    arguments: type[BaseModel]
    function: Callable[..., Any]
    retry_on: tuple[type[BaseException], ...] = ()
    """Errors after which another attempt may go better."""

    def check(self, arguments: str) -> dict[str, Any]:
        """Read `arguments` (a JSON object as text) into what the function takes; raise pydantic's ValidationError."""
        # the fields as they are: model_dump() would turn nested models into dicts
        return dict(self.arguments.model_validate_json(arguments).__dict__)

    def call(self, arguments: str) -> Any:
        """Check `arguments` and run the function; an `async def` gives a coroutine."""
        return self.function(**self.check(arguments))


REGISTRY: dict[str, RegisteredOperation] = {}

_reporters: list[Reporter] = []


def operation(
    *,
    tiny: bool = False,
    service: str = COMPUTE,
    timeout: float | None = None,
    memory: int | None = None,
    max_attempts: int | None = None,
    backoff: float | None = None,
    retry_on: Sequence[type[BaseException]] = (),
    examples: Iterable[Example] = (),
) -> Callable[[Function], Function]:
    """Make the decorated function an operation of `service` under its own name; raise SettingsRefused.

    `tiny`: it takes well under a millisecond, whatever the arguments, so it runs inside the worker's process. Others
    run in child processes: a plain function alone, an `async def` beside many of its kind. `timeout` (s), `memory`
    (bytes), `max_attempts` and `backoff` (s) bound one attempt and their number; None means the default of the
    settings. `retry_on`: the errors that are worth another attempt. `examples`: calls and what comes out.
    """

    def register(function: Function) -> Function:
        name = getattr(function, "__name__", repr(function))
        if name in REGISTRY:
            raise SettingsRefused(f"Two operations are called {name!r}; rename one of them.")
        if fault := _fault(function, service, retry_on) or (tiny and _not_tiny(function, timeout, memory)):
            raise SettingsRefused(f"The operation {name!r} {fault}.")
        model = arguments_of(function)
        summary, _, description = (inspect.getdoc(function) or name).partition("\n")
        try:
            spec = OperationSpec(
                name=name,
                service=service,
                summary=summary.strip(),
                description=description.strip(),
                tiny=tiny,
                io=inspect.iscoroutinefunction(function),
                arguments=model.model_json_schema(),
                result=result_of(function),
                examples=list(examples),
                limits=Limits(timeout=timeout, memory=memory, max_attempts=max_attempts, backoff=backoff),
            )
            found = RegisteredOperation(spec, model, function, tuple(retry_on))
            for example in spec.examples:
                found.check(json.dumps(example.arguments))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise SettingsRefused(f"The operation {name!r} is declared wrongly: {where}: {first['msg']}.") from error
        REGISTRY[name] = found
        return function

    return register


def progress(fraction: float, message: str | None = None) -> None:
    """Report from inside an operation how far it has come (0 to 1) and what it does; in tiny ones nobody listens."""
    if _reporters and not math.isnan(fraction):
        _reporters[0](min(max(float(fraction), 0.0), 1.0), message)


def set_progress_reporter(reporter: Reporter) -> None:
    """Have `progress` tell `reporter`, in this whole process."""
    _reporters[:] = [reporter]


def _fault(function: Callable[..., Any], service: str, retry_on: Sequence[Any]) -> str | None:
    """Say what keeps a function from being an operation."""
    if not inspect.isfunction(function) or not function.__name__.isidentifier():
        return "is no function with a name; decorate a `def`"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "is a generator; return one result instead of yielding several"
    if not SERVICE.fullmatch(service):
        return f"names the service {service!r}; a service's name is 1 to 40 of a-z, 0-9, _ and -, a letter first"
    if service in NOT_FOR_OPERATIONS:
        return f"names the service {service!r}, which computes nothing; choose another name"
    if not all(isinstance(each, type) and issubclass(each, BaseException) for each in retry_on):
        return "has something in retry_on that is no class of errors; list classes like TimeoutError"
    return None


def _not_tiny(function: Callable[..., Any], timeout: float | None, memory: int | None) -> str | None:
    """Say what a tiny operation can't be."""
    if inspect.iscoroutinefunction(function):
        return "is tiny and `async def`; a tiny one runs at once inside the worker, so make it one or the other"
    if timeout is not None or memory is not None:
        return "is tiny and has a timeout or a memory limit, which only child processes can keep; drop one of them"
    return None
