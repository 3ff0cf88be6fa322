"""Publishes messages in windows of confirms: many go out, then one wait for the broker to have them all.

Stands at step 2 of a job's life (the relay in the API), and wherever workers ring or announce. Next:
`workers/entrypoints/doorbell.py`, which hears it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from types import SimpleNamespace
from typing import Any, Protocol

from amqp import spec
from amqp.method_framing import frame_writer
from amqp.serialization import dumps
from kombu import Connection, Exchange

from errand.broker.connection import answering, asking, declare, establish, faults_of, open_connection, reason, take_in
from errand.errors import BrokerBlocked, BrokerUnavailable, DoorbellUnroutable
from errand.topology import DOORBELLS, JOB_FINISHED, doorbell_name, events_exchange
from schemas.operations import COMPUTE

CONFIRM_SECONDS = 5.0
"""How long to wait for the confirms of one window before the connection counts as dead."""

SMALL_BYTES, MOST_HEADS = 1024, 1000
"""What is alike in messages is kept for so many kinds, of bodies up to this length: doorbells, not every event."""
PERSISTENT = 2
FRAME_END = b"\xce"


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to the broker. `mandatory`: it counts as lost when no queue takes it."""

    exchange: str
    routing_key: str
    body: str
    content_type: str = "text/plain"
    mandatory: bool = True


def doorbell(queue: str, job_id: str) -> Message:
    """Make the message that tells the workers of `queue` to look at it: a job's id and nothing a client wrote."""
    return Message("", doorbell_name(queue), job_id)


def job_finished(job_id: str, status: str) -> Message:
    """Make the event that a job has ended, as nameko's `@event_handler("compute", "job_finished")` reads it."""
    body = f'{{"id":"{job_id}","status":"{status}"}}'
    return Message(events_exchange(COMPUTE).name, JOB_FINISHED, body, "application/json", mandatory=False)


def event(source: str, type_: str, payload: str) -> Message:
    """Make an event of `source` with a JSON text, as nameko's `@event_handler(source, type_)` reads it."""
    return Message(events_exchange(source).name, type_, payload, "application/json", mandatory=False)


PROBE = Message(events_exchange(COMPUTE).name, "probe", "", mandatory=False)
"""What no queue takes: a broker that takes it would take a doorbell as well."""


class Publisher:
    """One connection that publishes; opened at the first use, thrown away at the first fault. Not thread-safe.

    A broker that is short of memory or disk blocks the connection. That is no fault: it is kept until it is free again.
    """

    def __init__(self, amqp_uri: str) -> None:
        """Publish to the broker at `amqp_uri`."""
        self._uri = amqp_uri
        self._connection: Connection | None = None
        self._window: _Window | None = None
        self._declared: set[str] = set()
        self._exchanges: set[str] = set()

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish all messages and wait until the broker has them; raise BrokerUnavailable when it isn't certain."""
        window = self._open()
        try:
            self._declare_for(messages)
            window.publish(messages)
        except DoorbellUnroutable:
            self.close()  # the next one declares the queues again
            raise
        except self._faults as fault:
            raise self._given_up(fault) from fault

    def probe(self) -> None:
        """Raise BrokerUnavailable unless the broker takes messages; a blocked one tells only those who publish."""
        self.publish([PROBE])

    def is_healthy(self) -> bool:
        """Tell whether the open connection still stands, by what the broker sent meanwhile; costs no round trip."""
        if self._connection is None or not self._connection.connected:
            return False
        if self._connection.transport.driver_type != "amqp":
            return True
        try:
            take_in(self._connection)
        except self._faults:
            return False
        return True

    def close(self) -> None:
        """Close the connection, whatever state it is in; the next use opens another."""
        connection, self._connection, self._window = self._connection, None, None
        if connection is not None:
            with suppress(Exception):  # a dead peer; there is nothing left to save here
                connection.collect(socket_timeout=0.5)

    def _open(self) -> "_Window":
        if self._window is None:
            connection = self._connection = open_connection(self._uri)
            try:
                establish(connection)
                declare(connection)
                self._declared, self._exchanges = set(DOORBELLS), {events_exchange(COMPUTE).name}
                amqp = connection.transport.driver_type == "amqp"
                self._window = _ConfirmedWindow(connection) if amqp else _EmbeddedWindow(connection)
            except self._faults as fault:
                raise self._given_up(fault) from fault
        return self._window

    def _given_up(self, fault: Exception) -> BrokerUnavailable:
        self.close()
        return BrokerUnavailable(f"{BrokerUnavailable.__doc__} ({reason(fault)})")

    def _declare_for(self, messages: Sequence[Message]) -> None:
        """Declare what wasn't yet: doorbell queues of other services' operations, exchanges of plug-ins' events."""
        rung = {message.routing_key.removeprefix(doorbell_name("")) for message in messages if not message.exchange}
        if new := rung - self._declared:
            declare(self._connected(), new)
            self._declared |= new
        if exchanges := {message.exchange for message in messages if message.exchange} - self._exchanges:
            with asking(self._connected()) as channel:
                for name in exchanges:
                    Exchange(name, type="topic", durable=True, auto_delete=False)(channel).declare()
            self._exchanges |= exchanges

    def _connected(self) -> Connection:
        assert self._connection is not None  # noqa: S101 -- _open() ran before
        return self._connection

    @property
    def _faults(self) -> tuple[type[Exception], ...]:
        return faults_of(self._connection or Connection(self._uri))


class _Window(Protocol):
    """Publishes several messages, and returns once the broker has them all."""

    def publish(self, messages: Sequence[Message]) -> None: ...


class _ConfirmedWindow:
    """RabbitMQ: one write for all messages, then one wait for their publisher confirms."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        with answering(connection):
            self._channel = connection.channel()
            self._channel.confirm_select()
        self._channel.connection.on_blocked = self._on_blocked
        self._channel.connection.on_unblocked = self._on_unblocked
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._heads: dict[tuple[str, str, str, bool, int], bytes] = {}
        self._sent = 0
        self._open: set[int] = set()
        self._refused = self._returned = 0
        self._blocked = False

    def publish(self, messages: Sequence[Message]) -> None:
        self._raise_if_blocked()
        self._refused = self._returned = 0
        self._open = set(range(self._sent + 1, self._sent + len(messages) + 1))
        self._sent += len(messages)
        deadline = monotonic() + CONFIRM_SECONDS
        transport = self._channel.connection.transport
        with transport.having_timeout(CONFIRM_SECONDS):
            transport.write(b"".join(self._encode(message) for message in messages))
        while self._open:
            self._connection.drain_events(timeout=max(0.001, deadline - monotonic()))
            self._raise_if_blocked()
        if self._returned:
            raise DoorbellUnroutable()
        if self._refused:
            raise OSError("the broker refused a message")

    def _raise_if_blocked(self) -> None:
        """Raise BrokerBlocked while the broker takes nothing: what is written then would only fill its socket."""
        if self._blocked:
            take_in(self._connection)
        if self._blocked:
            raise BrokerBlocked()

    def _encode(self, message: Message) -> bytes:
        """Write the message as AMQP frames.

        Doorbells differ in their id only, which comes last: all before it is encoded once by py-amqp and kept, as
        encoding each anew would cost this process more than everything else it does for a job.
        """
        body = message.body.encode()
        key = (message.exchange, message.routing_key, message.content_type, message.mandatory, len(body))
        head = self._heads.get(key)
        if head is None:
            frames = bytearray()
            write = frame_writer(self._channel.connection, SimpleNamespace(write=frames.extend))
            args = dumps("Bssbb", (0, message.exchange, message.routing_key, message.mandatory, False))
            properties = {"delivery_mode": PERSISTENT}
            packed = self._channel.prepare_message(body, 0, message.content_type, "utf-8", None, properties)
            write(1, self._channel.channel_id, spec.Basic.Publish, args, packed)
            if len(body) > SMALL_BYTES:
                return bytes(frames)
            if len(self._heads) >= MOST_HEADS:
                self._heads.clear()
            head = self._heads[key] = bytes(frames[: -len(body) - 1])
        return head + body + FRAME_END

    def _on_ack(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._open = {open_tag for open_tag in self._open if open_tag > tag}
        else:
            self._open.discard(tag)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refused += 1
        self._on_ack(tag, multiple)

    def _on_blocked(self, _: str) -> None:
        self._blocked = True

    def _on_unblocked(self) -> None:
        self._blocked = False

    def _on_return(self, *_: Any) -> None:
        self._returned += 1


class _EmbeddedWindow:
    """The embedded broker: the messages are in their lists when the batch has ended."""

    def __init__(self, connection: Connection) -> None:
        self._producer = connection.Producer(auto_declare=False)

    def publish(self, messages: Sequence[Message]) -> None:
        with self._producer.batch(max_size=len(messages)):
            for message in messages:
                self._producer.publish(
                    message.body,
                    exchange=message.exchange,
                    routing_key=message.routing_key,
                    mandatory=message.mandatory,
                    content_type=message.content_type,
                    content_encoding="utf-8",
                    delivery_mode=PERSISTENT,
                )
