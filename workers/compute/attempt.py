"""One attempt of an operation: arguments in, an ending out, whatever the operation does.

The executor calls it in the worker for tiny operations, a child process for all others; so it imports neither the store
nor eventlet. Next: `operations/registry.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from errand.errors import OperationUnknown, PublicError
from errand.job_error import JobError
from workers.compute.trace import NO_TRACE, Trace, trace_of
from workers.operations.registry import RegisteredOperation

Kind = Literal["succeeded", "failed", "cancelled", "handed_back"]

_JSON = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=to_jsonable_python)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended. `handed_back`: it was stopped through no fault of its own and doesn't count."""

    kind: Kind
    payload: str
    """JSON: the result, or an object with the `type` and `message` of the error."""
    retryable: bool = False
    """Whether another attempt may succeed."""
    trace: Trace = NO_TRACE
    """Where it failed, for operators."""


class AttemptRefused(Exception):
    """Another attempt would fail in the same way."""


class ArgumentsRefused(AttemptRefused, PublicError):
    """The arguments don't fit the operation."""


class ResultRefused(AttemptRefused):
    """The operation's result is too large, or can't be written as JSON."""


class MemoryExceeded(MemoryError):
    """The operation used more memory than it may."""


class TimedOut(TimeoutError):
    """The operation took longer than it may."""


class ChildDied(Exception):
    """The process in which the operation ran ended without an answer."""


CANCELLED: Final = Ending("cancelled", JobError("Cancelled", "cancelled while it ran").written())


def attempt(operation: RegisteredOperation, arguments: str, max_result_bytes: int) -> Ending:
    """Run a plain operation here and now. Raises nothing."""
    try:
        return succeeded(operation.function(**checked(operation, arguments)), max_result_bytes)
    except BaseException as error:  # noqa: BLE001 -- whatever an operation raises is data
        return failed(error, operation.retry_on)


def find(operations: Mapping[str, RegisteredOperation], name: str) -> RegisteredOperation:
    """Return the operation of this name; raise OperationUnknown."""
    if operation := operations.get(name):
        return operation
    raise OperationUnknown(f"No worker of this service knows the operation {name!r}.")


def checked(operation: RegisteredOperation, arguments: str) -> dict[str, Any]:
    """Read the arguments and check them once more; raise ArgumentsRefused."""
    try:
        return operation.check(arguments)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ArgumentsRefused(f"{where}: {first['msg']}" if where else first["msg"]) from None


def succeeded(result: Any, max_result_bytes: int) -> Ending:
    """Write a result as JSON; raise ResultRefused."""
    try:
        text = _JSON.encode(result)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultRefused(f"The result can't be written as JSON: {error}.") from error
    if size > max_result_bytes:
        raise ResultRefused(f"The result takes {size} bytes of JSON, more than the {max_result_bytes} it may.")
    return Ending("succeeded", text)


def failed(
    error: BaseException, retry_on: Sequence[type[BaseException]] = (), raised: BaseException | None = None
) -> Ending:
    """Return the ending for an error; it is retryable if an `except` of `retry_on` would catch it.

    `raised`: what the operation raised, if `error` only says what that means.
    """
    retryable_types: tuple[type[BaseException], ...] = (OperationUnknown, ChildDied, *retry_on)
    retryable = isinstance(error, retryable_types) and not isinstance(error, AttemptRefused)
    return Ending("failed", _described(error).written(), retryable, trace_of(raised or error))


def megabytes(size: int) -> str:
    """Write a number of bytes in megabytes."""
    return f"{size / 2**20:.4g} MB"


def _described(error: BaseException) -> JobError:
    name = type(error).__name__
    try:
        if isinstance(error, PublicError) and (message := str(error)):
            return JobError(error.type, message, public=True)
        return JobError(name, str(error) or name)
    except Exception:  # noqa: BLE001 -- its own __str__ fails
        return JobError(name, name)
