"""Encodes a call's arguments as nameko does, and reads its reply; `caller.py` sends and receives them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from errand.errors import CallRefused, ErrandError, ServiceFailed, ServiceMissing
from schemas.requests import MAX_BODY_BYTES


@dataclass(slots=True)
class Call:
    """A call in progress: the service and method, then either the reply or the reason why there is none."""

    service: str
    method: str
    reply: Mapping[str, Any] | None = None
    fault: ErrandError | None = None

    @property
    def is_over(self) -> bool:
        """Return whether there is a reply or a fault."""
        return self.reply is not None or self.fault is not None


def read_reply(call: Call, body: Any) -> None:
    """Store the reply in `call`; a reply that can't be read counts as an error of the service."""
    try:
        reply = json.loads(body if isinstance(body, str) else bytes(body))
        call.reply = {"result": reply["result"], "error": reply["error"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        call.fault = ServiceFailed(call.service, call.method, "MalformedReply")


def service_missing(service: str) -> ServiceMissing:
    """Make the error for a service without a listening instance."""
    return ServiceMissing(f"No instance of {service} accepts calls now; try again shortly.")


def encoded(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    """Encode the arguments as nameko's clients do, but as plain JSON: no dates, no NaN; raise CallRefused."""
    try:
        body = json.dumps({"args": list(args), "kwargs": dict(kwargs)}, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as fault:
        raise CallRefused(reason=str(fault)) from None
    if len(body) > MAX_BODY_BYTES:
        raise CallRefused()
    return body


def result_of(call: Call) -> Any:
    """Return the result, or raise the error that came instead."""
    if call.fault is not None:
        raise call.fault
    assert call.reply is not None  # noqa: S101 -- it is over
    error = call.reply["error"]
    if error is None:
        return call.reply["result"]
    fields = error if isinstance(error, dict) else {}
    type_, text = str(fields.get("exc_type", "")), fields.get("value")
    known = type_ if type_.isidentifier() and len(type_) < 100 else "Error"
    raise ServiceFailed(call.service, call.method, known, text if isinstance(text, str) else "")
