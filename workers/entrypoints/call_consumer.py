"""The line on which calls come in: one queue, consumed on a connection that heals itself.

Stands under `rpc.py`, beside the life of a job. It takes the place of nameko's QueueConsumer, which keeps a stopping
process waiting while the broker is away and ends its service on the first fault it doesn't know.
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
from workers.entrypoints.reconnecting import keep_connected, wait_for_messages
from workers.entrypoints.safe_consumer import SafeConsumer, settle

log = logging.getLogger(__name__)

HANG_UP_SECONDS = 3.0
"""How long the broker may take to agree that no more calls are wanted."""


class CallConsumer(SharedExtension):  # type: ignore[misc]  # nameko has no annotations
    """Gives each message of the queue its provider's `declare()` gives to its `take(message)`, in a greenthread."""

    def __init__(self) -> None:
        """Hold the line; nothing is opened before `start`."""
        super().__init__()
        self._provider: Any = None
        self._loop: Any = None
        self.listening = Event()
        """Sent when calls are heard for the first time."""
        self._hung_up = Event()
        self._hanging_up = self._stopping = False

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
        settle(message.ack)

    def requeue_message(self, message: Any) -> None:
        """Give a call back for another worker."""
        settle(message.requeue)

    def reject_message(self, message: Any) -> None:
        """Throw a message away."""
        settle(message.reject)

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

    # ---- the loop: listen until hung up ----

    def _listen(self) -> None:
        try:
            keep_connected(self.container.config, self._consume, lambda: self._hanging_up)
        finally:
            self._tell_hung_up()

    def _consume(self, connection: Connection) -> None:
        queue = self._provider.declare(connection)
        consumer = SafeConsumer(connection, queue, self._spawn, MAX_BODY_BYTES, self.container.max_workers)
        consumer.consume()
        log.info("Listening for calls of %s", self.container.service_name, extra={"action": "listening"})
        if not self.listening.ready():
            self.listening.send()
        while not self._hanging_up:
            wait_for_messages(connection)
            consumer.hold()
        with eventlet.Timeout(HANG_UP_SECONDS, exception=False), suppress(*faults_of(connection)):
            consumer.cancel()
        self._tell_hung_up()
        while not self._stopping:  # calls at hand still want to be acknowledged, and the broker its heartbeat
            wait_for_messages(connection)
            consumer.hold()

    def _spawn(self, message: Any) -> None:
        self.container.spawn_managed_thread(lambda: self._provider.take(message), identifier="take")

    def _tell_hung_up(self) -> None:
        if not self._hung_up.ready():
            self._hung_up.send()
