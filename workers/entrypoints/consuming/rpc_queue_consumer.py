"""Consumes a service's RPC queue and reconnects by itself when the broker is lost.

`workers/entrypoints/rpc.py` uses it in place of nameko's QueueConsumer, which blocks a stopping process while the
broker is away and ends its service on the first unknown fault.
"""

import logging
from contextlib import suppress
from typing import Any

import eventlet
from eventlet.event import Event
from kombu import Connection
from nameko.extensions import SharedExtension

from errand.broker.connection import faults_of
from schemas.requests import MAX_BODY_BYTES
from workers.entrypoints.consuming.connection_loop import keep_connected, wait_for_messages
from workers.entrypoints.consuming.filtering_consumer import FilteringConsumer, settle

log = logging.getLogger(__name__)

CANCEL_SECONDS = 3.0
"""How long the broker may take to confirm that the consumer is cancelled."""


class RpcQueueConsumer(SharedExtension):  # type: ignore[misc]  # nameko has no annotations
    """Consumes the queue that the provider's `declare()` returns; calls `take(message)` in a greenthread for each."""

    def __init__(self) -> None:
        """Prepare to listen; no connection is opened before `start`."""
        super().__init__()
        self._provider: Any = None
        self._loop: Any = None
        self.listening = Event()
        """Sent when the queue is consumed for the first time."""
        self._cancelled = Event()
        self._cancelling = self._stopping = False

    # ---- the interface that nameko's RpcConsumer expects of a QueueConsumer ----

    def register_provider(self, provider: Any) -> None:
        """Deliver messages to `provider`; a container has one."""
        self._provider = provider

    def unregister_provider(self, provider: Any) -> None:
        """Take no more calls; return when the broker has confirmed it or is away."""
        self._cancelling = True
        if self._loop is not None:
            self._cancelled.wait()

    def ack_message(self, message: Any) -> None:
        """Acknowledge a call; if its connection is gone, the broker delivers it again."""
        settle(message.ack)

    def requeue_message(self, message: Any) -> None:
        """Return a call to the queue for another worker."""
        settle(message.requeue)

    def reject_message(self, message: Any) -> None:
        """Drop a message."""
        settle(message.reject)

    # ---- the interface of an extension ----

    def start(self) -> None:
        """Start to listen in a greenthread of the container; don't wait for the broker, which may be away."""
        self._loop = self.container.spawn_managed_thread(self._listen)

    def stop(self) -> None:
        """Close the connection. No call is running any more: nameko stops extensions last."""
        self._cancelling = self._stopping = True
        if self._loop is not None:
            self._loop.wait()

    def kill(self) -> None:
        """Stop listening at once."""
        self._cancelling = self._stopping = True
        if self._loop is not None:
            self._loop.kill()

    # ---- the loop: listen until cancelled, then keep the connection alive until stopped ----

    def _listen(self) -> None:
        try:
            keep_connected(self.container.config, self._consume, lambda: self._cancelling)
        finally:
            self._mark_cancelled()

    def _consume(self, connection: Connection) -> None:
        queue = self._provider.declare(connection)
        consumer = FilteringConsumer(connection, queue, self._spawn, MAX_BODY_BYTES, self.container.max_workers)
        consumer.consume()
        log.debug("Listening for calls of %s", self.container.service_name, extra={"action": "listening"})
        if not self.listening.ready():
            self.listening.send()
        while not self._cancelling:
            wait_for_messages(connection)
            consumer.hold()
        with eventlet.Timeout(CANCEL_SECONDS, exception=False), suppress(*faults_of(connection)):
            consumer.cancel()
        self._mark_cancelled()
        while not self._stopping:  # running calls must still be acknowledged, and the broker expects a heartbeat
            wait_for_messages(connection)
            consumer.hold()

    def _spawn(self, message: Any) -> None:
        self.container.spawn_managed_thread(lambda: self._provider.take(message), identifier="take")

    def _mark_cancelled(self) -> None:
        if not self._cancelled.ready():
            self._cancelled.send()
