"""The rpc entrypoint of plug-ins: a call whose worker dies comes again, and what travels is JSON as it was sent.

Stands on `rpc.py`, beside the life of a job; `workers/extending.py` gives it to plug-ins as `rpc`. A call is
acknowledged when it was answered, so a method may run more than once, but not twice at a time in one instance.
"""

import json
from typing import Any

import eventlet
from nameko.exceptions import BadRequest, MalformedRequest, serialize

from errand.errors import ErrandError
from workers.entrypoints.messages import plain_json
from workers.entrypoints.rpc import SafeRpc, refuse_bodiless

STARTS_IN = 2.0
"""How long a start waits until calls are heard: who is told that a service has started calls it at once."""


class PluginRpc(SafeRpc):
    """Answers calls of the method it decorates.

    Callers see `expected_exceptions` with what they say, of any other error only its type.
    """

    late = True

    def start(self) -> None:
        """Return when calls are heard; doesn't wait long for the broker, which may be away."""
        super().start()
        with eventlet.Timeout(STARTS_IN, exception=False):
            self.rpc_consumer.queue_consumer.listening.wait()

    def body_of(self, message: Any) -> Any:
        """Decode the body of a call, which is JSON and nothing else; raise MalformedRequest for what isn't."""
        refuse_bodiless(message)
        try:
            return plain_json(message)
        except ValueError as fault:
            raise MalformedRequest(f"Message can't be decoded ({type(fault).__name__})") from None

    def check_result(self, result: Any, serializer: str) -> None:
        """Raise ValueError or TypeError when the result isn't JSON."""
        json.dumps(result, allow_nan=False)

    def error_of(self, fault: Exception) -> dict[str, Any]:
        """Write an error of the method as its caller may see it."""
        if isinstance(fault, (BadRequest, ErrandError, *self.expected_exceptions)):
            error: dict[str, Any] = serialize(fault)
            return error
        return {"exc_type": type(fault).__name__, "exc_path": "", "exc_args": [], "value": ""}


rpc = PluginRpc.decorator
