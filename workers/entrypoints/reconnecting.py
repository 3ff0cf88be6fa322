"""Keeps a reader connected to the broker: opens a connection, has it used, and begins again when it is lost.

Stands under both entrypoints, `doorbell.py` and `call_consumer.py`. Whatever happens to broker or messages, the loop
goes on until it is told to stop.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import eventlet
from kombu import Connection

from errand.backoff import pauses
from errand.broker.connection import establish, faults_of, open_connection, reason

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
"""How long to wait at most for a message before heartbeat and shutdown are looked after."""
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0)
"""Pauses between tries; the last one is repeated."""
STEADY_SECONDS = 10.0
"""A connection that held this long was a good one: the pauses begin anew."""


def keep_connected(config: dict[str, Any], use: Callable[[Connection], None], stopping: Callable[[], bool]) -> None:
    """Have `use(connection)` called with a connection to the broker of `config`, again and again until `stopping()`."""
    steps, told = pauses(BACKOFF_SECONDS), ""
    while not stopping():
        connection = open_connection(config["AMQP_URI"], heartbeat=int(config.get("HEARTBEAT", 10)))
        began = monotonic()
        try:
            establish(connection)
            use(connection)
        except faults_of(connection) as fault:
            # a lost broker is news once, and so is what it refuses; that it is still so is not
            told, earlier = reason(fault), "" if _steady(began) else told
            level = logging.DEBUG if told == earlier else logging.WARNING
            log.log(level, "The broker is away, or refuses: %s", told, extra={"action": "broker_lost"})
        except Exception:
            log.exception("A message broke its reader; starting afresh", extra={"action": "reader_fault"})
        finally:
            with suppress(Exception):  # a dead peer; there is nothing left to save here
                connection.collect(socket_timeout=0.5)
        if _steady(began):
            steps = pauses(BACKOFF_SECONDS)
        if not stopping():
            eventlet.sleep(next(steps))


def _steady(began: float) -> bool:
    return monotonic() - began > STEADY_SECONDS


def wait_for_messages(connection: Connection) -> None:
    """Let the next message come in, or a second pass; keep the heartbeat. Raises what faults_of() names."""
    with suppress(TimeoutError):
        connection.drain_events(timeout=idle_seconds(connection))
    connection.heartbeat_check()


def idle_seconds(connection: Connection) -> float:
    """Tell how long to wait at most before the heartbeat is looked after: four times in each of its intervals."""
    return min(IDLE_SECONDS, (connection.heartbeat or 60) / 4)
