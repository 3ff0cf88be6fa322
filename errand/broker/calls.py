"""A call to a service: how its arguments are written, and what came of it.

Stands under `caller.py`, beside the life of a job.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from errand.errors import CallRefused, ErrandError, ServiceFailed, ServiceMissing
from schemas.requests import MAX_BODY_BYTES


@dataclass(slots=True)
class Call:
    """A call under way: whom it asks, then either what was replied or why there will be no reply."""

    service: str
    method: str
    reply: Mapping[str, Any] | None = None
    fault: ErrandError | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether it came to an end."""
        return self.reply is not None or self.fault is not None


def read_reply(call: Call, body: Any) -> None:
    """Write down what was replied; a reply that can't be read is an error of the service."""
    try:
        reply = json.loads(body if isinstance(body, str) else bytes(body))
        call.reply = {"result": reply["result"], "error": reply["error"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        call.fault = ServiceFailed(call.service, call.method, "MalformedReply")


def missing(service: str) -> ServiceMissing:
    """Say that nobody listens."""
    return ServiceMissing(f"No instance of {service} takes calls now; try again shortly.")


def encoded(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    """Write the arguments as nameko's clients do, but as plain JSON: no dates, no NaN."""
    try:
        body = json.dumps({"args": list(args), "kwargs": dict(kwargs)}, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as fault:
        raise CallRefused(reason=str(fault)) from None
    if len(body) > MAX_BODY_BYTES:
        raise CallRefused()
    return body


def result_of(call: Call) -> Any:
    """Give the result; raise what came instead of one."""
    if call.fault is not None:
        raise call.fault
    assert call.reply is not None  # noqa: S101 -- it is over
    error = call.reply["error"]
    if error is None:
        return call.reply["result"]
    told = error if isinstance(error, dict) else {}
    type_, text = str(told.get("exc_type", "")), told.get("value")
    known = type_ if type_.isidentifier() and len(type_) < 100 else "Error"
    raise ServiceFailed(call.service, call.method, known, text if isinstance(text, str) else "")
