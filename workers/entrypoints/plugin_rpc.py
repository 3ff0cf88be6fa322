"""The rpc entrypoint of plug-ins: a call whose worker dies is delivered again, and payloads are plain JSON.

`workers/extending.py` exports it for plug-ins as `rpc`. A call is acknowledged after its reply was sent, so a method
may run more than once for a call, but never twice at a time in one instance. Next: `rpc.py`.
"""

import json
from typing import Any

import eventlet
from nameko.exceptions import BadRequest, MalformedRequest, serialize

from errand.errors import ErrandError
from workers.entrypoints.consuming.message_parsing import plain_json
from workers.entrypoints.rpc import SafeRpc, require_body

START_SECONDS = 2.0
"""How long `start` waits until the queue is consumed: clients call as soon as they read that the service started."""


class PluginRpc(SafeRpc):
    """Answers calls of the decorated method.

    Callers see the text of `expected_exceptions`, and only the type of any other error.
    """

    acks_late = True

    def start(self) -> None:
        """Return when the queue is consumed; wait only briefly for the broker, which may be away."""
        super().start()
        with eventlet.Timeout(START_SECONDS, exception=False):
            self.rpc_consumer.queue_consumer.listening.wait()

    def body_of(self, message: Any) -> Any:
        """Decode the body of a call as plain JSON; raise MalformedRequest if it isn't."""
        require_body(message)
        try:
            return plain_json(message)
        except ValueError as fault:
            raise MalformedRequest(f"Message can't be decoded ({type(fault).__name__})") from None

    def check_result(self, result: Any, serializer: str) -> None:
        """Raise ValueError or TypeError if the result isn't JSON."""
        json.dumps(result, allow_nan=False)

    def error_of(self, fault: Exception) -> dict[str, Any]:
        """Serialise an error of the method as its caller may see it."""
        if isinstance(fault, (BadRequest, ErrandError, *self.expected_exceptions)):
            error: dict[str, Any] = serialize(fault)
            return error
        return {"exc_type": type(fault).__name__, "exc_path": "", "exc_args": [], "value": ""}


rpc = PluginRpc.decorator
