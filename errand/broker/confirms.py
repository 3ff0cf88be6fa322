"""Publishes a window of messages on an open connection and waits until the broker has them all.

`publisher.py` opens the connection. Next: `workers/entrypoints/doorbell.py`, which receives a doorbell.
"""

from collections.abc import Sequence
from time import monotonic
from types import SimpleNamespace
from typing import Any, Protocol

from amqp import spec
from amqp.method_framing import frame_writer
from amqp.serialization import dumps
from kombu import Connection

from errand.broker.connection import answering, read_incoming
from errand.broker.messages import Message
from errand.errors import BrokerBlocked, DoorbellUnroutable

CONFIRM_SECONDS = 5.0
"""How long to wait for the confirms of one window before the connection counts as dead."""
MAX_CACHED_BODY_BYTES, MAX_CACHED_HEADS = 1024, 1000
"""Encoded heads of messages are cached: of bodies up to this length (doorbells, short events), and this many heads."""
PERSISTENT = 2
FRAME_END = b"\xce"


class Window(Protocol):
    """Publishes several messages, and returns once the broker has them all."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish; raises BrokerBlocked, DoorbellUnroutable, and what `connection.faults_of` names."""
        ...


class ConfirmedWindow:
    """RabbitMQ: one write for all messages, then one wait for their publisher confirms."""

    def __init__(self, connection: Connection) -> None:
        """Open a channel with confirms on `connection`; raises what `connection.faults_of` names."""
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
        """Publish; see Window."""
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
        """Raise BrokerBlocked while the broker reads nothing: further messages would only fill its socket."""
        if self._blocked:
            read_incoming(self._connection)
        if self._blocked:
            raise BrokerBlocked()

    def _encode(self, message: Message) -> bytes:
        """Write the message as AMQP frames.

        Doorbells differ only in the job's id, which comes last. py-amqp encodes the bytes before it once, because
        encoding them for each doorbell would cost this process more than everything else it does for a job.
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
            if len(body) > MAX_CACHED_BODY_BYTES:
                return bytes(frames)
            if len(self._heads) >= MAX_CACHED_HEADS:
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


class EmbeddedWindow:
    """The embedded broker: once the batch has ended, the messages are in their lists in Redis."""

    def __init__(self, connection: Connection) -> None:
        """Publish on `connection`."""
        self._producer = connection.Producer(auto_declare=False)

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish; see Window."""
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
