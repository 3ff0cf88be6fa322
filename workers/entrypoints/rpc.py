"""The rpc entrypoint: answers nameko's RPC calls, and survives malformed messages and the loss of the broker.

The wire format is nameko's own. `n.rpc.compute.compute(…)` and `n.rpc.mail.send(…)` arrive here through
`consuming/rpc_queue_consumer.py`. A call is acknowledged when it starts, so a call that kills its worker kills no
other; the caller finds out by its timeout. Calls of plug-ins are acknowledged after the reply: `plugin_rpc.py`.
"""

import logging
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import eventlet
import kombu.serialization
from kombu import Connection, Queue, binding
from nameko.amqp.publish import Publisher
from nameko.exceptions import BadRequest, ContainerBeingKilled, MalformedRequest, serialize
from nameko.rpc import Rpc, RpcConsumer, get_rpc_exchange

from errand.errors import CallFailed, ErrandError, ResultUnserialisable
from errand.topology import QUORUM, UNTIL
from schemas.requests import MAX_BODY_BYTES
from workers.entrypoints.consuming.message_parsing import context_of, deliveries_of
from workers.entrypoints.consuming.quorum_queues import declare_quorum_queue
from workers.entrypoints.consuming.rpc_queue_consumer import RpcQueueConsumer

log = logging.getLogger(__name__)

REPLY_SECONDS = 10.0
"""How long publishing a reply may take. After that it is dropped, and the caller's timeout reports the loss."""
MAX_REDELIVERIES = 5
"""How often a call may be delivered again because its worker died; after that the call itself is to blame."""


class CallHandler(RpcConsumer):  # type: ignore[misc]  # nameko has no annotations
    """Takes the calls of one service from its queue `rpc-<service>` and answers them."""

    queue_consumer = RpcQueueConsumer()

    def __init__(self) -> None:
        """Serve no method yet."""
        super().__init__()
        self._method_keys: set[str] = set()

    def register_provider(self, provider: Any) -> None:
        """Serve the method of `provider`."""
        super().register_provider(provider)
        self._method_keys.add(f"{self.container.service_name}.{provider.method_name}")

    def declare(self, connection: Connection) -> Queue:
        """Declare and return the queue to consume, with its bindings; raises what faults_of() names.

        On the embedded broker, clients such as nameko's own shell find a queue only by a binding equal to their
        routing key, so every method has a binding of its own there.
        """
        keys = [self.queue.routing_key]
        if connection.transport.driver_type != "amqp":
            keys += sorted(self._method_keys)
        bindings = [binding(self.queue.exchange, key) for key in keys]
        queue = Queue(self.queue.name, bindings, durable=True, queue_arguments=dict(QUORUM))
        declare_quorum_queue(connection, queue)
        return queue

    def setup(self) -> None:
        """Set up the service's queue; no call is running yet."""
        super().setup()
        self._running: dict[tuple[str, str], Any] = {}

    # the life of a call: parse, start, acknowledge; `finish` is called when the method has ended
    def take(self, message: Any) -> None:
        """Start the call in `message`; raise nothing, whatever the message is."""
        try:
            if not _reply_to(message):
                raise MalformedRequest("Message missing `reply_to`")
            provider, args, kwargs = self._parse(message)
            if self._is_superfluous(provider, message):
                return
            finish = partial(self.finish, message)
            self.container.spawn_worker(provider, args, kwargs, context_data=context_of(message), handle_result=finish)
            if not provider.acks_late:
                self.queue_consumer.ack_message(message)
        except ContainerBeingKilled:
            self.queue_consumer.requeue_message(message)
        except Exception as fault:  # noqa: BLE001 -- a stranger's message can raise anything
            self._refuse(message, fault)

    def finish(self, message: Any, context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        """Reply with the outcome of the call; raise nothing, as nameko would end the service."""
        provider = context.entrypoint
        error = provider.error_of(exc_info[1]) if exc_info else None
        try:
            provider.check_result(result, _serializer(message))
        except Exception as fault:  # noqa: BLE001 -- an encoder can raise anything
            log.warning("A result can't be sent: %s", type(fault).__name__, extra={"action": "result_unserialisable"})
            result, error = None, serialize(ResultUnserialisable())
        replied = self._reply(message, result, error)
        if provider.acks_late:
            latest = self._running.pop(_identity(message), message)
            (self.queue_consumer.ack_message if replied else self.queue_consumer.requeue_message)(latest)
        return result, exc_info

    def _is_superfluous(self, provider: Any, message: Any) -> bool:
        """Return whether not to start a call: its caller's deadline has passed, or it is a repeat of a running one."""
        if _has_expired(message):
            self.queue_consumer.ack_message(message)
            return True
        if not provider.acks_late:
            return False
        if deliveries_of(message) > MAX_REDELIVERIES:
            raise CallFailed("The call was given up: every worker that received it died.")
        # the running call acknowledges the latest delivery, the only one that the broker still knows
        again = _identity(message) in self._running
        self._running[_identity(message)] = message
        return again

    def _parse(self, message: Any) -> tuple[Any, list[Any], dict[str, Any]]:
        """Return the called method's entrypoint and the arguments; raises the error for the caller."""
        provider = self._provider_of(message)
        body = provider.body_of(message)
        if not (isinstance(body, dict) and isinstance(body.get("args"), list) and isinstance(body.get("kwargs"), dict)):
            raise MalformedRequest("Message missing `args` or `kwargs`")
        provider.check_signature(body["args"], body["kwargs"])
        return provider, body["args"], body["kwargs"]

    def _provider_of(self, message: Any) -> Any:
        return self.get_provider_for_method(message.delivery_info.get("routing_key") or "")

    def _refuse(self, message: Any, fault: Exception) -> None:
        """Reply to a call that can't be started; drop it if it names nobody to reply to."""
        what = repr(str(fault)[:200]) if isinstance(fault, BadRequest) else ""  # others may quote a stranger's text
        answered = bool(_reply_to(message))
        self._running.pop(_identity(message), None)
        action = "call_refused" if answered else "garbage_dropped"
        log.warning("No call: %s %s", type(fault).__name__, what, extra={"action": action})
        if answered:
            self._reply(message, None, serialize(presentable(fault)))
            self.queue_consumer.ack_message(message)
        else:
            self.queue_consumer.reject_message(message)

    def _reply(self, message: Any, result: Any, error: dict[str, Any] | None) -> bool:
        """Publish the reply, encoded as the call was; drop it and return False if the broker is away."""
        payload = {"result": None if error else result, "error": error}
        correlation_id = message.properties.get("correlation_id")
        try:
            with eventlet.Timeout(REPLY_SECONDS):
                _publisher(self.container.config).publish(
                    payload,
                    serializer=_serializer(message),
                    exchange=get_rpc_exchange(self.container.config),
                    routing_key=_reply_to(message),
                    correlation_id=correlation_id if isinstance(correlation_id, str) else None,
                )
        except (Exception, eventlet.Timeout) as fault:  # noqa: BLE001 -- the broker is away, in whatever way
            log.warning("A reply was dropped: %r", fault, extra={"action": "reply_dropped"})
            return False
        return True


class SafeRpc(Rpc):  # type: ignore[misc]  # nameko has no annotations
    """Answers calls of the decorated method.

    Callers see errors of `errand.errors` and `expected_exceptions` as they are, and any other error as CallFailed.
    """

    rpc_consumer = CallHandler()
    acks_late = False
    """Whether a call is acknowledged after its reply, so that it is delivered again if its worker dies."""

    def __init__(self, expected_exceptions: Any = (), **kwargs: Any) -> None:
        """Show callers `expected_exceptions`, one class or several, as the method raised them."""
        several = expected_exceptions if isinstance(expected_exceptions, tuple) else (expected_exceptions,)
        super().__init__(expected_exceptions=(ErrandError, *several), **kwargs)

    def body_of(self, message: Any) -> Any:
        """Decode the body of a call as nameko does; raise MalformedRequest if that fails."""
        require_body(message)
        try:
            return message.decode()
        except Exception as fault:  # noqa: BLE001 -- a decoder can raise anything
            raise MalformedRequest(f"Message can't be decoded ({type(fault).__name__})") from None

    def check_result(self, result: Any, serializer: str) -> None:
        """Encode the result to find out whether it can be sent; raises what the encoder raises."""
        kombu.serialization.dumps(result, serializer)

    def error_of(self, fault: Exception) -> dict[str, Any]:
        """Serialise an error of the method as its caller may see it."""
        error: dict[str, Any] = serialize(presentable(fault, self.expected_exceptions))
        return error


def presentable(fault: Exception, expected: tuple[type[Exception], ...] = ()) -> Exception:
    """Return the error that the caller may see: `fault` itself if it is meant for callers, else CallFailed."""
    return fault if isinstance(fault, (BadRequest, ErrandError, *expected)) else CallFailed()


def require_body(message: Any) -> None:
    """Raise MalformedRequest if a message has no body, or if its body was refused."""
    if not message.body:  # empty, or blanked by FilteringConsumer
        raise MalformedRequest(f"Message empty, longer than {MAX_BODY_BYTES} bytes, compressed or strangely encoded")
    if message.errors:  # kombu collects its errors here while it unpacks the body
        raise MalformedRequest(f"Message can't be decoded ({type(message.errors[0][1]).__name__})")


def _identity(message: Any) -> tuple[str, str]:
    """Identify a call; all deliveries of one call have the same identity."""
    return _reply_to(message), str(message.properties.get("correlation_id") or id(message))


def _has_expired(message: Any) -> bool:
    """Return whether the caller's deadline has passed; only the embedded broker, on the same machine, carries one."""
    until = message.headers.get(UNTIL) if isinstance(message.headers, Mapping) else None
    return isinstance(until, float) and until < time.time()


def _reply_to(message: Any) -> str:
    """Return the routing key for the reply, or an empty text."""
    reply_to = message.properties.get("reply_to")
    return reply_to if isinstance(reply_to, str) else ""


def _serializer(message: Any) -> str:
    """Return the call's serialisation if we accept it, else JSON; the reply uses the same."""
    accepted = message.accept or ()
    name = kombu.serialization.registry.type_to_name.get(message.content_type)
    return str(name) if name and message.content_type in accepted else "json"


def _publisher(config: Mapping[str, Any]) -> Publisher:
    """Return a publisher on nameko's connection pool that gives up soon."""
    publisher = Publisher(
        config["AMQP_URI"],
        ssl=config.get("AMQP_SSL"),
        login_method=config.get("LOGIN_METHOD"),
        retry_policy={"max_retries": 2, "interval_start": 0.2, "interval_step": 0.3, "interval_max": 1},
    )
    publisher.transport_options = {"max_retries": 1, "interval_start": 0}  # nameko would share one dict by default
    return publisher


rpc = SafeRpc.decorator
