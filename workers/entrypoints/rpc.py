"""The rpc entrypoint: nameko's calls, word for word on the wire, that no message and no lost broker can end.

Stands beside the life of a job: `n.rpc.compute.compute(…)` and `n.rpc.mail.send(…)` come in here, over `line.py`.
A call is acknowledged when it starts: if its worker dies, its caller's timeout tells, and no other worker dies of it.
"""

import logging
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
from errand.topology import QUORUM
from workers.entrypoints.line import MAX_BODY_BYTES, Line
from workers.entrypoints.queues import declare_calls

log = logging.getLogger(__name__)

REPLY_SECONDS = 10.0
"""How long a reply may take to publish. Then it is dropped: its caller has a timeout, the worker has work."""
CALL_STACK = "call_id_stack"
"""nameko's header with the calls that led to this one; it joins them as text, whatever they are."""


class Calls(RpcConsumer):  # type: ignore[misc]  # nameko has no annotations
    """Takes the calls of one service from its queue `rpc-<service>` and answers them."""

    queue_consumer = Line()

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

    # the story: understand, start, acknowledge; `finish` comes when the method has ended
    def take(self, message: Any) -> None:
        """Start the call that `message` is; whatever it is, nothing is raised."""
        try:
            if not _reply_to(message):
                raise MalformedRequest("Message missing `reply_to`")
            provider, args, kwargs = self._understand(message)
            finish = partial(self.finish, message)
            self.container.spawn_worker(provider, args, kwargs, context_data=_context(message), handle_result=finish)
            self.queue_consumer.ack_message(message)
        except ContainerBeingKilled:
            self.queue_consumer.requeue_message(message)
        except Exception as fault:  # noqa: BLE001 -- whatever a stranger's message can raise
            self._refuse(message, fault)

    def finish(self, message: Any, context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        """Reply with the outcome of the call; nothing is raised, as nameko would end the service."""
        error = self._presentable(exc_info[1], context.entrypoint) if exc_info else None
        try:
            kombu.serialization.dumps(result, _serializer(message))
        except Exception as fault:  # noqa: BLE001 -- whatever an encoder raises
            log.warning("A result can't be sent: %s", type(fault).__name__, extra={"action": "result_unserialisable"})
            result, error = None, ResultUnserialisable()
        self._reply(message, result, error)
        return result, exc_info

    def _understand(self, message: Any) -> tuple[Any, list[Any], dict[str, Any]]:
        """Read whom the message calls with which arguments; raises what the caller is told."""
        body = _body(message)
        provider = self._provider_of(message)
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
        action = "call_refused" if answered else "garbage_dropped"
        log.warning("No call: %s %s", type(fault).__name__, what, extra={"action": action})
        if answered:
            self._reply(message, None, self._presentable(fault, None))
            self.queue_consumer.ack_message(message)
        else:
            self.queue_consumer.reject_message(message)

    def _presentable(self, fault: Exception, entrypoint: Any) -> Exception:
        """Give what the caller may see: an error that is meant for it as it is, of any other only that there is one."""
        expected = entrypoint.expected_exceptions if entrypoint else ()
        return fault if isinstance(fault, (BadRequest, ErrandError, expected)) else CallFailed()

    def _reply(self, message: Any, result: Any, error: Exception | None) -> None:
        """Publish the reply, encoded as the call was; drop it when the broker is away."""
        payload = {"result": None if error else result, "error": serialize(error) if error else None}
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


class SafeRpc(Rpc):  # type: ignore[misc]  # nameko has no annotations
    """Answers calls of the method it decorates.

    Callers see the errors of `errand.errors` and `expected_exceptions` as they are, any other as CallFailed.
    """

    rpc_consumer = Calls()

    def __init__(self, expected_exceptions: Any = (), **kwargs: Any) -> None:
        """Let the method raise `expected_exceptions`, a class or several, to its caller."""
        several = expected_exceptions if isinstance(expected_exceptions, tuple) else (expected_exceptions,)
        super().__init__(expected_exceptions=(ErrandError, *several), **kwargs)


def _body(message: Any) -> dict[str, Any]:
    """Decode the body; raise MalformedRequest for anything that isn't `{"args": […], "kwargs": {…}}`."""
    if not message.body:  # or it wasn't let in
        raise MalformedRequest(f"Message empty, longer than {MAX_BODY_BYTES} bytes, compressed or strangely encoded")
    try:
        if message.errors:  # kombu keeps what went wrong while it unpacked the body
            raise message.errors[0][1]
        body = message.decode()
    except Exception as fault:  # noqa: BLE001 -- whatever a decoder raises
        raise MalformedRequest(f"Message can't be decoded ({type(fault).__name__})") from None
    if not (isinstance(body, dict) and isinstance(body.get("args"), list) and isinstance(body.get("kwargs"), dict)):
        raise MalformedRequest("Message missing `args` or `kwargs`")
    return body


def _context(message: Any) -> dict[str, Any]:
    """Read nameko's context from the headers, which may hold anything."""
    headers = message.headers if isinstance(message.headers, Mapping) else {}
    context = {str(name).removeprefix("nameko."): value for name, value in headers.items()}
    stack = context.get(CALL_STACK)
    if not (isinstance(stack, list) and all(isinstance(call, str) for call in stack)):
        context.pop(CALL_STACK, None)
    return context


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
