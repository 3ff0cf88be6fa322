"""The decorator that makes a typed function an operation, and the registry of all operations.

`signature.py` derives the JSON Schemas from a function's signature. The API validates arguments against them, and the
worker validates once more in `RegisteredOperation.check`.
"""

import inspect
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from errand.errors import SettingsRefused
from schemas.operations import COMPUTE, WITHOUT_OPERATIONS, Example, Limits
from schemas.operations import Operation as OperationSpec
from workers.operations.signature import Arguments, arguments_of, result_of

Function = TypeVar("Function", bound=Callable[..., Any])
Reporter = Callable[[float, str | None], None]
"""Takes the progress of an operation: the fraction done (0 to 1) and what it is doing."""

SERVICE = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class RegisteredOperation:
    """An operation: its published description, the types of its arguments, and its function."""

    spec: OperationSpec
    arguments: Arguments
    function: Callable[..., Any]
    retry_on: tuple[type[BaseException], ...] = ()
    """Errors after which another attempt may succeed."""

    def check(self, arguments: str) -> dict[str, Any]:
        """Parse `arguments`, a JSON object as text, into keyword arguments; raise pydantic's ValidationError."""
        return self.arguments.read(arguments)

    def call(self, arguments: str) -> Any:
        """Check `arguments` and call the function; an `async def` returns a coroutine."""
        return self.function(**self.check(arguments))


REGISTRY: dict[str, RegisteredOperation] = {}

_reporters: list[Reporter] = []


def operation(
    *bare: object,
    tiny: bool = False,
    service: str = COMPUTE,
    timeout: float | None = None,
    memory: int | None = None,
    max_attempts: int | None = None,
    backoff: float | None = None,
    retry_on: Sequence[type[BaseException]] = (),
    examples: Iterable[Example] = (),
) -> Callable[[Function], Function]:
    """Make the decorated function an operation of `service`, under its own name; raise SettingsRefused.

    `tiny`: it takes well under a millisecond whatever the arguments, and runs inside the worker's process. Others run
    in child processes: a `def` alone, an `async def` beside many others. `timeout` (s) and `memory` (bytes) limit one
    attempt, `max_attempts` their number; `backoff` (s) is the first pause between them. None means the setting's
    default. `retry_on`: the errors worth another attempt. `examples`: calls with their results.
    """
    if bare:
        name = getattr(bare[0], "__name__", repr(bare[0]))
        raise SettingsRefused(f"The decorator of {name!r} takes named options only; write `@operation()`.")

    def register(function: Function) -> Function:
        name = getattr(function, "__name__", repr(function))
        if name in REGISTRY:
            raise SettingsRefused(f"Two operations are called {name!r}; rename one of them.")
        if fault := _fault(function, service, retry_on) or (tiny and _not_tiny(function, timeout, memory)):
            raise SettingsRefused(f"The operation {name!r} {fault}.")
        takes = arguments_of(function)
        summary, _, description = (inspect.getdoc(function) or name).partition("\n")
        try:
            spec = OperationSpec(
                name=name,
                service=service,
                summary=summary.strip(),
                description=description.strip(),
                tiny=tiny,
                io=inspect.iscoroutinefunction(function),
                arguments=takes.schema,
                result=result_of(function),
                examples=list(examples),
                limits=Limits(timeout=timeout, memory=memory, max_attempts=max_attempts, backoff=backoff),
            )
            found = RegisteredOperation(spec, takes, function, tuple(retry_on))
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
    """Report the fraction done (0 to 1) and what the operation is doing; in a tiny operation it has no effect."""
    if _reporters and not math.isnan(fraction):
        _reporters[0](min(max(float(fraction), 0.0), 1.0), message)


def set_progress_reporter(reporter: Reporter) -> None:
    """Make `progress` call `reporter`, in this whole process."""
    _reporters[:] = [reporter]


def _fault(function: Callable[..., Any], service: str, retry_on: Sequence[Any]) -> str | None:
    """Return why a function can't be an operation, or None."""
    if not inspect.isfunction(function) or not function.__name__.isidentifier():
        return "is not a function with a name; decorate a `def`"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "is a generator; return one result instead of yielding several"
    if not SERVICE.fullmatch(service):
        return f"names the service {service!r}; use 1 to 40 of a-z, 0-9, _ and -, beginning with a letter"
    if service in WITHOUT_OPERATIONS:
        return f"names the service {service!r}, which computes nothing; choose another name"
    if not all(isinstance(each, type) and issubclass(each, BaseException) for each in retry_on):
        return "has something in retry_on that is not an exception class; list classes such as TimeoutError"
    return None


def _not_tiny(function: Callable[..., Any], timeout: float | None, memory: int | None) -> str | None:
    """Return why a function can't be a tiny operation, or None."""
    if inspect.iscoroutinefunction(function):
        return "is tiny and `async def`; a tiny operation runs at once inside the worker, so make it one or the other"
    if timeout is not None or memory is not None:
        return "is tiny and has a timeout or a memory limit, which need a child process; drop one of them"
    return None
