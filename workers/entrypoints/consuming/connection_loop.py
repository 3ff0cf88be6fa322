"""Keeps a consumer connected to the broker: opens a connection, uses it, and starts over when it is lost.

Whatever happens to the broker or to messages, the loop runs until it is stopped.
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
"""Maximum wait for a message before the heartbeat and a pending shutdown are handled."""
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0)
"""Pauses between attempts to connect; the last one repeats."""
STEADY_SECONDS = 10.0
"""A connection that lasted this long resets the pauses."""


def keep_connected(config: dict[str, Any], use: Callable[[Connection], None], stopping: Callable[[], bool]) -> None:
    """Call `use(connection)` with a new connection to the broker of `config`, again and again until `stopping()`."""
    steps, last_reason = pauses(BACKOFF_SECONDS), ""
    while not stopping():
        connection = open_connection(config["AMQP_URI"], heartbeat=int(config.get("HEARTBEAT", 10)))
        began = monotonic()
        try:
            establish(connection)
            use(connection)
        except faults_of(connection) as fault:
            # warn once for each reason, not at every attempt that fails for the same one
            now, before = reason(fault), "" if _steady(began) else last_reason
            level = logging.DEBUG if now == before else logging.WARNING
            log.log(level, "The broker is away or refuses: %s", now, extra={"action": "broker_lost"})
            last_reason = now
        except Exception:
            log.exception("A message broke its consumer; reconnecting", extra={"action": "reader_fault"})
        finally:
            with suppress(Exception):  # the peer is dead, and there is nothing left to save
                connection.collect(socket_timeout=0.5)
        if _steady(began):
            steps = pauses(BACKOFF_SECONDS)
        if not stopping():
            eventlet.sleep(next(steps))


def _steady(began: float) -> bool:
    return monotonic() - began > STEADY_SECONDS


def wait_for_messages(connection: Connection) -> None:
    """Process the next message, or return after a second at most; keep the heartbeat. Raises what faults_of() names."""
    with suppress(TimeoutError):
        connection.drain_events(timeout=idle_seconds(connection))
    connection.heartbeat_check()


def idle_seconds(connection: Connection) -> float:
    """Return how long to wait at most, so that the heartbeat is checked four times in each of its intervals."""
    return min(IDLE_SECONDS, (connection.heartbeat or 60) / 4)
