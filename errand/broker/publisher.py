"""Publishes messages in windows of confirms: it sends many, then waits once until the broker has them all.

The relay of the API and the workers publish doorbells and events here. Next: `confirms.py`.
"""

from collections.abc import Sequence
from contextlib import suppress

from kombu import Connection, Exchange

from errand.broker.confirms import ConfirmedWindow, EmbeddedWindow, Window
from errand.broker.connection import asking, declare, establish, faults_of, open_connection, read_incoming, reason
from errand.broker.messages import PROBE, Message
from errand.errors import BrokerUnavailable, DoorbellUnroutable
from errand.topology import DOORBELLS, doorbell_name, events_exchange
from schemas.operations import COMPUTE


class Publisher:
    """One connection that publishes; opened at its first use, closed after the first fault. Not thread-safe.

    A broker that is short of memory or disk blocks the connection. That is not a fault: the connection stays open until
    it may publish again.
    """

    def __init__(self, amqp_uri: str) -> None:
        """Publish to the broker at `amqp_uri`."""
        self._uri = amqp_uri
        self._connection: Connection | None = None
        self._window: Window | None = None
        self._declared: set[str] = set()
        self._exchanges: set[str] = set()

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish all messages and wait until the broker has them; raise BrokerUnavailable if that isn't certain."""
        window = self._open()
        try:
            self._declare_for(messages)
            window.publish(messages)
        except DoorbellUnroutable:
            self.close()  # the next use declares the queues again
            raise
        except self._faults as fault:
            raise self._given_up(fault) from fault

    def probe(self) -> None:
        """Raise BrokerUnavailable unless the broker takes messages; only publishing shows whether it is blocked."""
        self.publish([PROBE])

    def is_healthy(self) -> bool:
        """Return whether the connection is open and alive, judging by what the broker has sent; no round trip."""
        if self._connection is None or not self._connection.connected:
            return False
        if self._connection.transport.driver_type != "amqp":
            return True
        try:
            read_incoming(self._connection)
        except self._faults:
            return False
        return True

    def close(self) -> None:
        """Close the connection, whatever its state; the next use opens another."""
        connection, self._connection, self._window = self._connection, None, None
        if connection is not None:
            with suppress(Exception):  # the peer may be dead, and nothing is left to save
                connection.collect(socket_timeout=0.5)

    def _open(self) -> Window:
        if self._window is None:
            connection = self._connection = open_connection(self._uri)
            try:
                establish(connection)
                declare(connection)
                self._declared, self._exchanges = set(DOORBELLS), {events_exchange(COMPUTE).name}
                amqp = connection.transport.driver_type == "amqp"
                self._window = ConfirmedWindow(connection) if amqp else EmbeddedWindow(connection)
            except self._faults as fault:
                raise self._given_up(fault) from fault
        return self._window

    def _given_up(self, fault: Exception) -> BrokerUnavailable:
        self.close()
        return BrokerUnavailable(f"{BrokerUnavailable.__doc__} ({reason(fault)})")

    def _declare_for(self, messages: Sequence[Message]) -> None:
        """Declare what `declare()` did not: doorbell queues of other services, exchanges of plug-ins' events."""
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
