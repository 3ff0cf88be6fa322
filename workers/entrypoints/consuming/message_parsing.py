"""Parses the headers and the body of an untrusted message: an RPC call or an event."""

import json
from collections.abc import Mapping
from typing import Any

from errand.topology import DELIVERIES

CALL_STACK = "call_id_stack"
"""nameko's header that lists the calls that led to this one; nameko joins its members as text unchecked."""


def context_of(message: Any) -> dict[str, Any]:
    """Return nameko's context from the headers, which may hold anything."""
    headers = message.headers if isinstance(message.headers, Mapping) else {}
    context = {str(name).removeprefix("nameko."): value for name, value in headers.items()}
    stack = context.get(CALL_STACK)
    if not (isinstance(stack, list) and all(isinstance(call, str) for call in stack)):
        context.pop(CALL_STACK, None)
    return context


def deliveries_of(message: Any) -> int:
    """Return how often the message was delivered before without being acknowledged."""
    times = message.headers.get(DELIVERIES) if isinstance(message.headers, Mapping) else 0
    return times if isinstance(times, int) else 0


def plain_json(message: Any) -> Any:
    """Return the body as plain JSON values; raise ValueError if it isn't JSON.

    kombu's own decoder turns objects with certain keys into dates, decimals and bytes, whoever wrote them.
    """
    if message.errors or message.content_type != "application/json":
        raise ValueError("not JSON")
    body = message.body
    try:
        return json.loads(body if isinstance(body, str) else bytes(body), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
