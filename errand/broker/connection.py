"""Opening a connection to the broker and declaring what must be there, the same way on both brokers.

Stands under relay, workers and rescuer. Next: `publisher.py`.
"""

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
"""How long to wait for the answer to what was asked on a connection that stands."""

FAULTS: tuple[type[Exception], ...] = (OSError, socket.timeout, OperationalError, EOFError)
"""What kombu raises whichever transport it uses; each connection adds its transport's own."""


def open_connection(amqp_uri: str, heartbeat: int = 0) -> Connection:
    """Describe a connection to the broker; nothing is opened before its first use.

    `heartbeat` is in seconds. Publishers use none, as they are not always there to answer one; a dead peer is noticed
    by TCP_USER_TIMEOUT (set by py-amqp), by the look before each use, and by the deadline for confirms.
    """
    if amqp_uri.startswith("redis"):
        # imported only where it is used: it brings kombu's whole virtual transport
        from errand.broker.embedded import install

        install()
    return Connection(amqp_uri, heartbeat=heartbeat, connect_timeout=CONNECT_SECONDS)


def establish(connection: Connection) -> None:
    """Connect to the first of its addresses that answers, each asked once; raise what faults_of() names.

    An address that hangs must not use up the time of those after it, so there is no limit over all of them.
    """
    connection.ensure_connection(max_retries=max(0, len(connection.alt) - 1), interval_start=0, interval_step=0)


@contextmanager
def answering(connection: Connection) -> Iterator[None]:
    """Have what waits for the broker's answer fail when none comes for some seconds."""
    amqp = connection.transport.driver_type == "amqp"
    with connection.connection.transport.having_timeout(ANSWER_SECONDS) if amqp else nullcontext():
        yield


@contextmanager
def asking(connection: Connection) -> Iterator[Any]:
    """Lend a channel for questions, which fail when the broker, once connected, says nothing for some seconds.

    In a cluster any node takes a connection, and then hangs as long as the node does that it needs for the answer.
    """
    with answering(connection):
        channel = connection.channel()
        yield channel
        channel.close()  # not after a fault: nobody waits for that, the connection is thrown away


def take_in(connection: Connection) -> None:
    """Take in what the broker has sent by now, without waiting, for a second at most; raise what faults_of() names."""
    until = monotonic() + 1.0  # it may come without end
    with suppress(TimeoutError):
        while monotonic() < until:
            connection.drain_events(timeout=0)


def faults_of(connection: Connection) -> tuple[type[Exception], ...]:
    """Give the exceptions after which `connection` is to be thrown away."""
    return (*FAULTS, *connection.connection_errors, *connection.channel_errors)


def reason(fault: Exception) -> str:
    """Say what a fault was, for a line of the log."""
    text = str(getattr(fault, "message", "") or fault)  # amqp's errors carry what the broker said
    return f"{type(fault).__name__}: {text[:300]}"


def declare(connection: Connection, queues: Iterable[str] = DOORBELLS) -> None:
    """Declare doorbell queues, with what they are bound to: a doorbell must not ring in an empty house."""
    with asking(connection) as channel:
        for queue in queues:
            doorbell_queue(queue)(channel).declare()
