"""Opens connections to the broker and declares its queues, in the same way on RabbitMQ and on the embedded broker."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from time import monotonic
from typing import Any

from kombu import Connection
from kombu.exceptions import OperationalError

from errand.topology import DOORBELLS, doorbell_queue

CONNECT_SECONDS = 3.0
"""How long to wait for the broker to answer a new connection."""

ANSWER_SECONDS = 5.0
"""How long to wait for the answer to a request on an open connection."""

FAULTS: tuple[type[Exception], ...] = (OSError, socket.timeout, OperationalError, EOFError)
"""What kombu raises with any transport; each connection adds the errors of its transport."""


def open_connection(amqp_uri: str, heartbeat: int = 0) -> Connection:
    """Describe a connection to the broker; nothing is opened before its first use.

    `heartbeat` is in seconds. Publishers use none, as they can't always answer one in time; they notice a dead peer by
    TCP_USER_TIMEOUT (set by py-amqp), by the check before each use, and by the deadline for confirms.
    """
    if amqp_uri.startswith("redis"):
        # imported only where it is used: it loads kombu's whole virtual transport
        from errand.broker.embedded.transport import install

        install()
    return Connection(amqp_uri, heartbeat=heartbeat, connect_timeout=CONNECT_SECONDS)


def establish(connection: Connection) -> None:
    """Connect to the first of its addresses that answers, trying each once; raise what faults_of() names.

    There is no time limit for all addresses together: one that hangs must not use up the time of the others.
    """
    connection.ensure_connection(max_retries=max(0, len(connection.alt) - 1), interval_start=0, interval_step=0)


@contextmanager
def answering(connection: Connection) -> Iterator[None]:
    """Make waits for the broker's answer fail after ANSWER_SECONDS."""
    amqp = connection.transport.driver_type == "amqp"
    with connection.connection.transport.having_timeout(ANSWER_SECONDS) if amqp else nullcontext():
        yield


@contextmanager
def asking(connection: Connection) -> Iterator[Any]:
    """Yield a channel for requests to the broker; one that isn't answered within ANSWER_SECONDS fails.

    In a cluster, any node accepts a connection, and then hangs while the node that it needs for the answer does.
    """
    with answering(connection):
        channel = connection.channel()
        yield channel
        channel.close()  # not after a fault: the connection is closed then, and closing the channel would wait


def read_incoming(connection: Connection) -> None:
    """Process what the broker has sent, without waiting, for a second at most; raise what faults_of() names."""
    until = monotonic() + 1.0  # the broker may send without end
    with suppress(TimeoutError):
        while monotonic() < until:
            connection.drain_events(timeout=0)


def faults_of(connection: Connection) -> tuple[type[Exception], ...]:
    """Return the exceptions after which `connection` must be closed."""
    return (*FAULTS, *connection.connection_errors, *connection.channel_errors)


def reason(fault: Exception) -> str:
    """Describe a fault for the log."""
    text = str(getattr(fault, "message", "") or fault)  # errors of py-amqp carry the broker's sentence
    return f"{type(fault).__name__}: {text[:300]}"


def declare(connection: Connection, queues: Iterable[str] = DOORBELLS) -> None:
    """Declare doorbell queues and their exchanges, so that no doorbell is published before its queue exists."""
    with asking(connection) as channel:
        for queue in queues:
            doorbell_queue(queue)(channel).declare()
