"""What the entrypoints read off a message besides its body: nothing in it is trusted.

Stands under `rpc.py`, `plugin_rpc.py` and `events.py`.
"""

import json
from collections.abc import Mapping
from typing import Any

from errand.topology import DELIVERIES

CALL_STACK = "call_id_stack"
"""nameko's header with the calls that led to this one; it joins them as text, whatever they are."""


def context_of(message: Any) -> dict[str, Any]:
    """Read nameko's context from the headers, which may hold anything."""
    headers = message.headers if isinstance(message.headers, Mapping) else {}
    context = {str(name).removeprefix("nameko."): value for name, value in headers.items()}
    stack = context.get(CALL_STACK)
    if not (isinstance(stack, list) and all(isinstance(call, str) for call in stack)):
        context.pop(CALL_STACK, None)
    return context


def deliveries_of(message: Any) -> int:
    """Tell how often the message came before and wasn't acknowledged."""
    times = message.headers.get(DELIVERIES) if isinstance(message.headers, Mapping) else 0
    return times if isinstance(times, int) else 0


def plain_json(message: Any) -> Any:
    """Read the body as JSON and no more; raise ValueError for what isn't.

    kombu's own reader makes dates, decimals and bytes of objects that have the keys for it, whoever wrote them.
    """
    if message.errors or message.content_type != "application/json":
        raise ValueError("no JSON")
    body = message.body
    try:
        return json.loads(body if isinstance(body, str) else bytes(body), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("too deep") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
