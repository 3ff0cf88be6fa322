"""The rpc entrypoint: nameko's calls, word for word on the wire, that no message and no lost broker can end.

Stands beside the life of a job: `n.rpc.compute.compute(…)` and `n.rpc.mail.send(…)` come in here, over
`call_consumer.py`. A call is acknowledged when it starts: if its worker dies, its caller's timeout tells, and no
other worker dies of it. Those of plug-ins are acknowledged when they are answered: `plugin_rpc.py`.
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
from nameko.exceptions import BadRequest, ContainerBeingKilled, MalformedRequest, MethodNotFound, serialize
from nameko.rpc import Rpc, RpcConsumer, get_rpc_exchange

from errand.errors import CallFailed, ErrandError, ResultUnserialisable
from errand.topology import QUORUM, UNTIL
from schemas.requests import MAX_BODY_BYTES
from workers.entrypoints.call_consumer import CallConsumer
from workers.entrypoints.messages import context_of, deliveries_of
from workers.entrypoints.queues import declare_calls

log = logging.getLogger(__name__)

REPLY_SECONDS = 10.0
"""How long a reply may take to publish. Then it is dropped: its caller has a timeout, the worker has work."""
MOST_DELIVERIES = 5
"""How often a call may come again because its worker died; then it is what they die of."""


class Calls(RpcConsumer):  # type: ignore[misc]  # nameko has no annotations
    """Takes the calls of one service from its queue `rpc-<service>` and answers them."""

    queue_consumer = CallConsumer()

    def declare(self, connection: Connection) -> Queue:
        """Declare the queue to consume, with its bindings, and give it; raises what faults_of() names.

        A client of the embedded broker that doesn't know it (nameko's own shell) looks only for a binding that is
        exactly its routing key, so there every method has one of its own.
        """
        keys = [self.queue.routing_key]
        if connection.transport.driver_type != "amqp":
            keys += map(self._key, self._providers)
        bindings = [binding(self.queue.exchange, key) for key in keys]
        queue = Queue(self.queue.name, bindings, durable=True, queue_arguments=dict(QUORUM))
        declare_calls(connection, queue)
        return queue

    def setup(self) -> None:
        """Take the service's queue; no call is at hand yet."""
        super().setup()
        self._at_hand: dict[tuple[str, str], Any] = {}

    # the story: understand, start, acknowledge; `finish` comes when the method has ended
    def take(self, message: Any) -> None:
        """Start the call that `message` is; whatever it is, nothing is raised."""
        try:
            if not _reply_to(message):
                raise MalformedRequest("Message missing `reply_to`")
            provider, args, kwargs = self._understand(message)
            if self._is_superfluous(provider, message):
                return
            finish = partial(self.finish, message)
            self.container.spawn_worker(provider, args, kwargs, context_data=context_of(message), handle_result=finish)
            if not provider.late:
                self.queue_consumer.ack_message(message)
        except ContainerBeingKilled:
            self.queue_consumer.requeue_message(message)
        except Exception as fault:  # noqa: BLE001 -- whatever a stranger's message can raise
            self._refuse(message, fault)

    def finish(self, message: Any, context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        """Reply with the outcome of the call; nothing is raised, as nameko would end the service."""
        provider = context.entrypoint
        error = provider.error_of(exc_info[1]) if exc_info else None
        try:
            provider.check_result(result, _serializer(message))
        except Exception as fault:  # noqa: BLE001 -- whatever an encoder raises
            log.warning("A result can't be sent: %s", type(fault).__name__, extra={"action": "result_unserialisable"})
            result, error = None, serialize(ResultUnserialisable())
        replied = self._reply(message, result, error)
        if provider.late:
            newest = self._at_hand.pop(_identity(message), message)
            (self.queue_consumer.ack_message if replied else self.queue_consumer.requeue_message)(newest)
        return result, exc_info

    def _is_superfluous(self, provider: Any, message: Any) -> bool:
        """Tell whether a call isn't to be started: nobody waits for it, or it came again while it runs here."""
        if _nobody_waits(message):
            self.queue_consumer.ack_message(message)
            return True
        if not provider.late:
            return False
        if deliveries_of(message) > MOST_DELIVERIES:
            raise CallFailed("The call was given up: each worker that had it died.")
        # its acknowledgement goes to the delivery that the broker knows
        again = _identity(message) in self._at_hand
        self._at_hand[_identity(message)] = message
        return again

    def _understand(self, message: Any) -> tuple[Any, list[Any], dict[str, Any]]:
        """Read whom the message calls with which arguments; raises what the caller is told."""
        provider = self._provider_of(message)
        body = provider.body_of(message)
        if not (isinstance(body, dict) and isinstance(body.get("args"), list) and isinstance(body.get("kwargs"), dict)):
            raise MalformedRequest("Message missing `args` or `kwargs`")
        provider.check_signature(body["args"], body["kwargs"])
        return provider, body["args"], body["kwargs"]

    def _provider_of(self, message: Any) -> Any:
        routing_key = message.delivery_info.get("routing_key") or ""
        for provider in self._providers:
            if self._key(provider) == routing_key:
                return provider
        raise MethodNotFound(routing_key.rpartition(".")[2])

    def _key(self, provider: Any) -> str:
        return f"{self.container.service_name}.{provider.method_name}"

    def _refuse(self, message: Any, fault: Exception) -> None:
        """Answer a call that can't be started, where there is somebody to answer; else throw it away."""
        what = repr(str(fault)[:200]) if isinstance(fault, BadRequest) else ""  # others may quote what a stranger wrote
        answered = bool(_reply_to(message))
        self._at_hand.pop(_identity(message), None)
        action = "call_refused" if answered else "garbage_dropped"
        log.warning("No call: %s %s", type(fault).__name__, what, extra={"action": action})
        if answered:
            self._reply(message, None, serialize(presentable(fault)))
            self.queue_consumer.ack_message(message)
        else:
            self.queue_consumer.reject_message(message)

    def _reply(self, message: Any, result: Any, error: dict[str, Any] | None) -> bool:
        """Publish the reply, encoded as the call was; drop it when the broker is away, and give False."""
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
    """Answers calls of the method it decorates.

    Callers see the errors of `errand.errors` and `expected_exceptions` as they are, any other as CallFailed.
    """

    rpc_consumer = Calls()
    late = False
    """Whether a call is acknowledged when it was answered, so that it comes again if its worker dies."""

    def __init__(self, expected_exceptions: Any = (), **kwargs: Any) -> None:
        """Let the method raise `expected_exceptions`, a class or several, to its caller."""
        several = expected_exceptions if isinstance(expected_exceptions, tuple) else (expected_exceptions,)
        super().__init__(expected_exceptions=(ErrandError, *several), **kwargs)

    def body_of(self, message: Any) -> Any:
        """Decode the body of a call as nameko does; raise MalformedRequest for what can't be."""
        refuse_bodiless(message)
        try:
            return message.decode()
        except Exception as fault:  # noqa: BLE001 -- whatever a decoder raises
            raise MalformedRequest(f"Message can't be decoded ({type(fault).__name__})") from None

    def check_result(self, result: Any, serializer: str) -> None:
        """Raise whatever an encoder does, when the result can't be sent."""
        kombu.serialization.dumps(result, serializer)

    def error_of(self, fault: Exception) -> dict[str, Any]:
        """Write an error of the method as its caller may see it."""
        error: dict[str, Any] = serialize(presentable(fault, self.expected_exceptions))
        return error


def presentable(fault: Exception, expected: tuple[type[Exception], ...] = ()) -> Exception:
    """Give what the caller may see: an error that is meant for it as it is, of any other only that there is one."""
    return fault if isinstance(fault, (BadRequest, ErrandError, *expected)) else CallFailed()


def refuse_bodiless(message: Any) -> None:
    """Raise MalformedRequest for a message that has no body, or none that may be read."""
    if not message.body:  # or it wasn't let in
        raise MalformedRequest(f"Message empty, longer than {MAX_BODY_BYTES} bytes, compressed or strangely encoded")
    if message.errors:  # kombu keeps what went wrong while it unpacked the body
        raise MalformedRequest(f"Message can't be decoded ({type(message.errors[0][1]).__name__})")


def _identity(message: Any) -> tuple[str, str]:
    """Tell calls apart; one that comes again is the same."""
    return _reply_to(message), str(message.properties.get("correlation_id") or id(message))


def _nobody_waits(message: Any) -> bool:
    """Tell whether the caller's time is over; it says so only on the embedded broker, which is on the same machine."""
    until = message.headers.get(UNTIL) if isinstance(message.headers, Mapping) else None
    return isinstance(until, float) and until < time.time()


def _reply_to(message: Any) -> str:
    """Give the routing key of the reply, empty when there is none."""
    reply_to = message.properties.get("reply_to")
    return reply_to if isinstance(reply_to, str) else ""


def _serializer(message: Any) -> str:
    """Name the serialisation of the call if it is one we accept: the reply comes the same way."""
    accepted = message.accept or ()
    name = kombu.serialization.registry.type_to_name.get(message.content_type)
    return str(name) if name and message.content_type in accepted else "json"


def _publisher(config: Mapping[str, Any]) -> Publisher:
    """Make a publisher on nameko's pool of connections that gives up soon."""
    publisher = Publisher(
        config["AMQP_URI"],
        ssl=config.get("AMQP_SSL"),
        login_method=config.get("LOGIN_METHOD"),
        retry_policy={"max_retries": 2, "interval_start": 0.2, "interval_step": 0.3, "interval_max": 1},
    )
    publisher.transport_options = {"max_retries": 1, "interval_start": 0}  # its own: nameko shares one dict by default
    return publisher


rpc = SafeRpc.decorator
