"""Calls nameko services and waits for their replies, on one connection and by a deadline.

Plug-ins call services with it, from Flask routes (`api/extending.py`) and from other services
(`workers/plugins/rpc_proxy.py`). Unlike nameko's own client it leaves nothing behind: no channel, and no reply to a
call that took too long. Arguments and results are JSON and arrive as they were sent, whatever their keys.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu import Connection, Consumer, Producer
from kombu.exceptions import ChannelError

from errand.broker.call_messages import Call, encoded, read_reply, result_of, service_missing
from errand.broker.connection import CONNECT_SECONDS, establish, faults_of, open_connection, read_incoming, reason
from errand.broker.unanswered import why_unanswered
from errand.errors import BrokerBlocked, BrokerUnavailable, ErrandError
from errand.topology import CALLS, UNTIL, replies_queue

ASK_SECONDS = 0.5
"""How long the broker may take, after a call has timed out, to say whether an instance listens."""
AWAY = "The broker can't be reached, so the call was not sent; try again shortly."
BLOCKED = "The broker accepts no messages now, so the call was not sent; try again shortly."


class Caller:
    """One connection for calls; opened at its first use, closed after the first fault. Not thread-safe."""

    def __init__(self, amqp_uri: str) -> None:
        """Call through the broker at `amqp_uri`."""
        self._uri = amqp_uri
        self._connection: Connection | None = None
        self._calls: dict[str, Call] = {}
        self._blocked = False

    def call(self, service: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any], until: float) -> str:
        """Send a call that must be answered by `until` (monotonic, s); return its id.

        Raises CallRefused when the arguments aren't JSON, and BrokerUnavailable.
        """
        body = encoded(args, kwargs)
        call_id = uuid4().hex
        with self._in_doubt():
            connection = self._open(until)
            if self._blocked:
                raise BrokerBlocked(BLOCKED)
            self._calls[call_id] = call = Call(service, method)
            with self._within(connection, until):
                self._publish(connection, call, call_id, body, until)
        return call_id

    def reply(self, call_id: str, until: float) -> Any:
        """Wait for the result of a call, once.

        Raises ServiceMissing, ServiceSlow or ServiceFailed, BrokerUnavailable, and LookupError for a call that was
        forgotten.
        """
        call = self._calls[call_id]
        with self._in_doubt():
            while not call.is_over and (left := until - monotonic()) > 0:
                with suppress(TimeoutError):
                    self._established.drain_events(timeout=left)
            if not call.is_over:
                call.fault = self._why_unanswered(call)
        self._calls.pop(call_id, None)
        return result_of(call)

    def forget(self) -> None:
        """Forget the calls that nobody waits for any more; their replies are dropped when they arrive."""
        self._calls.clear()

    def is_healthy(self) -> bool:
        """Return whether it can be used: not connected yet, or alive, judging by what the broker has sent."""
        if self._connection is None or self._connection.transport.driver_type != "amqp":
            return True
        try:
            read_incoming(self._connection)
        except faults_of(self._connection):
            return False
        return True

    def stop(self) -> None:
        """Close the connection, whatever its state; the next use opens another."""
        connection, self._connection, self._blocked = self._connection, None, False
        self._calls.clear()
        if connection is not None:
            with suppress(Exception):  # the peer may be dead, and nothing is left to save
                connection.collect(socket_timeout=0.5)

    # ---- the connection ----

    def _open(self, until: float) -> Connection:
        if self._connection is None:
            connection = self._connection = open_connection(self._uri)
            addresses = max(1, len(connection.alt))
            connection.connect_timeout = min(CONNECT_SECONDS, max(0.05, until - monotonic()) / addresses)
            establish(connection)
            with self._within(connection, until):
                self._listen(connection)
        return self._connection

    def _listen(self, connection: Connection) -> None:
        channel = connection.channel()
        channel.auto_decode = False  # py-amqp's, by whatever encoding the message names
        CALLS(channel).declare()
        self._key = uuid4().hex
        queue = replies_queue(self._key)(channel)
        queue.declare()
        Consumer(channel, [queue], no_ack=True, on_message=self._on_reply, auto_declare=False).consume()
        self._producer = Producer(channel, auto_declare=False)
        if connection.transport.driver_type == "amqp":
            channel.events["basic_return"].add(self._on_return)
            channel.connection.on_blocked = self._on_blocked
            channel.connection.on_unblocked = self._on_unblocked

    @property
    def _established(self) -> Connection:
        if self._connection is None:
            raise OSError("the connection was closed")
        return self._connection

    @contextmanager
    def _within(self, connection: Connection, until: float) -> Iterator[None]:
        """Make writes, and waits for the broker's answer, fail if they last beyond `until`."""
        left = max(0.05, until - monotonic())
        amqp = connection.transport.driver_type == "amqp"
        with connection.connection.transport.having_timeout(left) if amqp else nullcontext():
            yield

    @contextmanager
    def _in_doubt(self) -> Iterator[None]:
        """Close the connection after anything that may have left it half read or half written."""
        try:
            yield
        except ErrandError:
            raise
        except faults_of(self._connection or Connection(self._uri)) as fault:
            self.stop()
            raise BrokerUnavailable(AWAY, reason=reason(fault)) from fault
        except BaseException:
            self.stop()
            raise

    # ---- a call ----

    def _publish(self, connection: Connection, call: Call, call_id: str, body: bytes, until: float) -> None:
        left = max(0.001, until - monotonic())
        amqp = connection.transport.driver_type == "amqp"
        # a call whose caller has given up must not run: RabbitMQ drops it, on the embedded broker the reader does
        over = {"expiration": left} if amqp else {"headers": {UNTIL: time.time() + left}}
        try:
            self._producer.publish(
                body,
                exchange=CALLS.name,
                routing_key=f"{call.service}.{call.method}",
                mandatory=True,
                content_type="application/json",
                content_encoding="utf-8",
                reply_to=self._key,
                correlation_id=call_id,
                **over,
            )
        except ChannelError:  # the embedded broker returns a message that no queue takes in this way
            call.fault = service_missing(call.service)

    def _on_reply(self, message: Any) -> None:
        call = self._calls.get(message.properties.get("correlation_id"))
        if call is None:
            return  # it came too late
        read_reply(call, message.body)

    def _on_return(self, _fault: Any, _exchange: str, _key: str, message: Any) -> None:
        if call := self._calls.get(message.properties.get("correlation_id")):
            call.fault = service_missing(call.service)

    def _on_blocked(self, _: str) -> None:
        self._blocked = True

    def _on_unblocked(self) -> None:
        self._blocked = False

    def _why_unanswered(self, call: Call) -> ErrandError:
        """Return the reason why a call that has timed out has no reply."""
        if self._blocked:
            return BrokerBlocked(BLOCKED)
        connection = self._established
        with self._within(connection, monotonic() + ASK_SECONDS):
            return why_unanswered(connection, call.service)
