"""Performs one attempt of a job: arguments in, outcome out, whatever the operation does.

Stands at step 4 of a job's life. Operations declared tiny run here, inline; the seam for child processes is
`Crew.perform`. Next: back in `compute.py`, which commits the outcomes.
"""

import json
from collections.abc import Sequence
from typing import Any

from nameko.extensions import DependencyProvider
from pydantic import ValidationError

from errand.errors import OperationFailed
from errand.store import Lease, Outcome
from schemas.status import Status
from workers.dependencies import settings_of
from workers.operations import OPERATIONS


class Crew:
    """Performs leased jobs."""

    def __init__(self, max_result_bytes: int) -> None:
        """Fail what gives more than `max_result_bytes` of JSON."""
        self._limit = max_result_bytes

    def perform(self, leases: Sequence[Lease]) -> list[Outcome]:
        """Run each lease's operation; an error of the operation is an outcome, never an exception."""
        return [self._attempt(lease) for lease in leases]

    def _attempt(self, lease: Lease) -> Outcome:
        try:
            return Outcome(lease, Status.SUCCEEDED, self._run(lease))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            return _failed(lease, "ArgumentsRefused", f"{where}: {first['msg']}" if where else first["msg"])
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever an operation raises is data
            return _failed(lease, type(error).__name__, str(error) or type(error).__name__)

    def _run(self, lease: Lease) -> str:
        operation = OPERATIONS.get(lease.operation)
        if operation is None:
            raise OperationUnknown(f"No worker of this service knows the operation {lease.operation!r}.")
        result = operation.call(lease.arguments)
        try:
            text = _json(result)
        except (TypeError, ValueError) as error:
            raise ResultRefused(f"The result can't be written as JSON: {error}.") from error
        if len(text) * 4 > self._limit and len(text.encode()) > self._limit:
            raise ResultRefused(f"The result takes more than {self._limit} bytes of JSON.")
        return text

    @staticmethod
    def answer(outcomes: Sequence[Outcome]) -> Any:
        """Give the result of a single outcome as a value; raise OperationFailed with its error."""
        [outcome] = outcomes
        payload = json.loads(outcome.payload)
        if outcome.status is Status.SUCCEEDED:
            return payload
        raise OperationFailed(f"{payload['type']}: {payload['message']}")


class OperationUnknown(Exception):
    """The job names an operation that this worker doesn't have."""


class ResultRefused(Exception):
    """The operation's result is too large, or no JSON."""


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _failed(lease: Lease, kind: str, message: str) -> Outcome:
    # an error's text may hold anything: lone surrogates can't be stored as UTF-8
    safe = message[:2000].encode("utf-8", "replace").decode()
    return Outcome(lease, Status.FAILED, _json({"type": kind, "message": safe}))


class Operators(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects the Crew."""

    def setup(self) -> None:
        """Make the crew."""
        self._crew = Crew(settings_of(self).max_result_bytes)

    def get_dependency(self, worker_ctx: Any) -> Crew:
        """Give the crew."""
        return self._crew
