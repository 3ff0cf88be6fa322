"""The line on which calls come in: one queue, consumed on a connection that heals itself.

Stands under `rpc.py`, beside the life of a job. It takes the place of nameko's QueueConsumer, which keeps a stopping
process waiting while the broker is away and ends its service on the first fault it doesn't know.
"""

import logging
from contextlib import suppress
from itertools import chain, repeat
from typing import Any

import eventlet
from eventlet.event import Event
from kombu import Connection, Consumer
from nameko.extensions import SharedExtension

from errand.broker.connection import faults_of, open_connection

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
"""How long to wait for a call before heartbeat and shutdown are looked after."""
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0)
"""Pauses between tries while the broker is away; the last one is repeated."""
HANG_UP_SECONDS = 3.0
"""How long the broker may take to agree that no more calls are wanted."""


class Line(SharedExtension):  # type: ignore[misc]  # nameko has no annotations
    """Gives every message of its provider's `listening_queue()` to the provider's `take(message)`, in a greenthread."""

    def __init__(self) -> None:
        """Hold the line; nothing is opened before `start`."""
        super().__init__()
        self._provider: Any = None
        self._loop: Any = None
        self._hung_up = Event()
        self._hanging_up = self._stopping = self._lost = False

    # ---- what nameko's RpcConsumer asks of a QueueConsumer ----

    def register_provider(self, provider: Any) -> None:
        """Serve `provider`; a container has one."""
        self._provider = provider

    def unregister_provider(self, provider: Any) -> None:
        """Take no more calls; return when the broker knows, or isn't there to be told."""
        self._hanging_up = True
        if self._loop is not None:
            self._hung_up.wait()

    def ack_message(self, message: Any) -> None:
        """Tell the broker that a call was heard; if its connection is gone, the call will come again."""
        _settle(message.ack)

    def requeue_message(self, message: Any) -> None:
        """Give a call back for another worker."""
        _settle(message.requeue)

    def reject_message(self, message: Any) -> None:
        """Throw a message away."""
        _settle(message.reject)

    # ---- what the container asks of an extension ----

    def start(self) -> None:
        """Begin to listen, in a greenthread of the container; doesn't wait for the broker, which may be away."""
        self._loop = self.container.spawn_managed_thread(self._listen)

    def stop(self) -> None:
        """Close the connection. The calls at hand have ended by now: nameko stops extensions last."""
        self._hanging_up = self._stopping = True
        if self._loop is not None:
            self._loop.wait()

    def kill(self) -> None:
        """Drop the line at once."""
        self._hanging_up = self._stopping = True
        if self._loop is not None:
            self._loop.kill()

    # ---- the loop: connect, listen; again until hung up ----

    def _listen(self) -> None:
        pauses = _pauses()
        try:
            while not self._hanging_up:
                connection = open_connection(self._config["AMQP_URI"], int(self._config.get("HEARTBEAT", 10)))
                try:
                    self._consume(connection)
                except faults_of(connection) as fault:
                    # a lost broker is news once; that it is still away is not
                    level = logging.DEBUG if self._lost else logging.WARNING
                    log.log(level, "The broker is away: %r", fault, extra={"action": "broker_lost"})
                    pauses = pauses if self._lost else _pauses()
                    self._lost = True
                except Exception:
                    log.exception("The line broke; starting afresh", extra={"action": "line_fault"})
                finally:
                    with suppress(Exception):  # a dead peer; there is nothing left to save here
                        connection.collect(socket_timeout=0.5)
                if not self._hanging_up:
                    eventlet.sleep(next(pauses))
        finally:
            self._tell_hung_up()

    def _consume(self, connection: Connection) -> None:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=3)
        consumer = Consumer(
            connection.channel(),
            [self._provider.listening_queue()],
            on_message=self._spawn,
            on_decode_error=lambda message, _: self._spawn(message),  # the provider finds out by itself
            accept=self.container.accept,
            prefetch_count=self.container.max_workers,
        )
        consumer.consume()
        self._lost = False
        log.info("Listening for calls of %s", self.container.service_name, extra={"action": "listening"})
        while not self._hanging_up:
            _wait_for_a_call(connection)
        with eventlet.Timeout(HANG_UP_SECONDS, exception=False), suppress(*faults_of(connection)):
            consumer.cancel()
        self._tell_hung_up()
        while not self._stopping:  # calls at hand still want to be acknowledged, and the broker its heartbeat
            _wait_for_a_call(connection)

    def _spawn(self, message: Any) -> None:
        self.container.spawn_managed_thread(lambda: self._provider.take(message), identifier="take")

    def _tell_hung_up(self) -> None:
        if not self._hung_up.ready():
            self._hung_up.send()

    @property
    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.container.config
        return config


def _wait_for_a_call(connection: Connection) -> None:
    with suppress(TimeoutError):
        connection.drain_events(timeout=IDLE_SECONDS)
    connection.heartbeat_check()


def _settle(settle: Any) -> None:
    try:
        settle()
    except Exception as fault:  # noqa: BLE001 -- the connection is gone, in whatever way; the container must not be
        log.warning("A call may come again: %r", fault, extra={"action": "call_not_settled"})


def _pauses() -> Any:
    return chain(BACKOFF_SECONDS, repeat(BACKOFF_SECONDS[-1]))
