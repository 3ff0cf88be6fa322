"""The event_handler entrypoint: handles nameko's events, and survives malformed messages and the loss of the broker.

`workers/extending.py` exports it for plug-ins. An event is acknowledged once its handler has ended, so an event whose
worker dies is delivered again. Queues have the names that nameko gives them.
"""

import logging
from functools import partial
from typing import Any
from uuid import uuid4

import eventlet
from eventlet.event import Event
from kombu import Connection, Queue
from nameko.events import BROADCAST, SERVICE_POOL, SINGLETON, EventHandlerConfigurationError
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint

from errand.broker.connection import asking
from errand.topology import QUORUM, event_queue, events_exchange, owner
from schemas.requests import MAX_BODY_BYTES
from workers.entrypoints.consuming.connection_loop import keep_connected, wait_for_messages
from workers.entrypoints.consuming.filtering_consumer import FilteringConsumer, settle
from workers.entrypoints.consuming.message_parsing import context_of, deliveries_of, plain_json
from workers.entrypoints.consuming.quorum_queues import declare_quorum_queue
from workers.entrypoints.consuming.rpc_queue_consumer import CANCEL_SECONDS

log = logging.getLogger(__name__)

KINDS = (SERVICE_POOL, BROADCAST, SINGLETON)
KEPT_SECONDS = 300
"""How long the embedded broker keeps events for an instance that disappeared without closing its connection."""
MAX_REDELIVERIES = 5
"""How often an event may be delivered again after its handler failed or its worker died."""
START_SECONDS = 2.0
"""How long `start` waits until the queue is consumed, so that no event published after it is missed."""


class SafeEventHandler(Entrypoint):  # type: ignore[misc]  # nameko has no annotations
    """Calls the decorated method with the payload of each event of one type from one service."""

    def __init__(
        self,
        source_service: str,
        event_type: str,
        handler_type: str = SERVICE_POOL,
        reliable_delivery: bool | None = None,
        requeue_on_error: bool = False,
        **kwargs: Any,
    ) -> None:
        """Handle events of `source_service`; `handler_type` says whether once in each service, instance, or in all.

        `reliable_delivery`: events wait while no instance runs; impossible with BROADCAST. `requeue_on_error`: an event
        whose handler fails is delivered again, at most five times. Raises EventHandlerConfigurationError.
        """
        super().__init__(**kwargs)
        if handler_type not in KINDS:
            raise EventHandlerConfigurationError(
                f"handler_type must be one of {', '.join(KINDS)}, not {handler_type!r}."
            )
        if reliable_delivery and handler_type == BROADCAST:
            raise EventHandlerConfigurationError("A BROADCAST handler can't have reliable_delivery; leave it out.")
        self.source_service, self.event_type, self.handler_type = source_service, event_type, handler_type
        self.reliable = handler_type != BROADCAST if reliable_delivery is None else reliable_delivery
        self.requeue_on_error = requeue_on_error
        self._instance = f"{uuid4().hex}@{owner()}"
        self._unsettled = 0
        self._listening = Event()
        self._stopping = False
        self._loop: Any = None

    def start(self) -> None:
        """Start to listen in a greenthread of the container; wait only briefly for the broker, which may be away."""
        self._loop = self.container.spawn_managed_thread(self._listen)
        with eventlet.Timeout(START_SECONDS, exception=False):
            self._listening.wait()

    def stop(self) -> None:
        """Take no more events; return when the current ones are done and acknowledged."""
        self._stopping = True
        if self._loop is not None:
            self._loop.wait()

    def kill(self) -> None:
        """Stop listening at once."""
        self._stopping = True
        if self._loop is not None:
            self._loop.kill()

    # ---- the loop ----

    def _listen(self) -> None:
        keep_connected(self.container.config, self._consume, lambda: self._stopping)

    def _consume(self, connection: Connection) -> None:
        queue = self._declare(connection)
        consumer = FilteringConsumer(connection, queue, self._receive, MAX_BODY_BYTES, self.container.max_workers)
        consumer.consume()
        log.debug("Listening for events in %s", queue.name, extra={"action": "listening"})
        if not self._listening.ready():
            self._listening.send()
        while not self._stopping:
            wait_for_messages(connection)
            consumer.hold()
        with eventlet.Timeout(CANCEL_SECONDS, exception=False):
            consumer.cancel()
        while self._unsettled:
            wait_for_messages(connection)
            consumer.hold()

    def _declare(self, connection: Connection) -> Queue:
        """Declare and return the queue with its binding; raises what faults_of() names."""
        exchange, key = events_exchange(self.source_service), self.event_type
        reader = f"{self.container.service_name}.{self.method_name}"
        if self.handler_type == BROADCAST:
            name = event_queue(self.source_service, key, f"{reader}-{self._instance}")
            transient = {"durable": False, "exclusive": True, "auto_delete": True, "expires": KEPT_SECONDS}
            queue = Queue(name, exchange, key, **transient)
        else:
            name = event_queue(self.source_service, key, "" if self.handler_type == SINGLETON else reader)
            options = {"queue_arguments": dict(QUORUM)} if self.reliable else {"auto_delete": True}
            queue = Queue(name, exchange, key, durable=True, **options)
        if self.reliable:
            declare_quorum_queue(connection, queue)
        else:
            with asking(connection) as channel:
                queue(channel).declare()
        return queue

    # ---- one event ----

    def _receive(self, message: Any) -> None:
        self._unsettled += 1
        self.container.spawn_managed_thread(partial(self._take, message), identifier="take")

    def _take(self, message: Any) -> None:
        """Start the handler; raise nothing, whatever the message is."""
        try:
            if deliveries_of(message) > MAX_REDELIVERIES:
                raise ValueError("every worker that received it died")
            payload = plain_json(message)
        except ValueError as fault:
            log.warning("Dropped an event: %s", fault, extra={"action": "event_dropped"})
            self._settle(message.reject)
            return
        done = partial(self._finish, message)
        try:
            self.container.spawn_worker(self, (payload,), {}, context_data=context_of(message), handle_result=done)
        except ContainerBeingKilled:
            self._settle(message.requeue)
        except Exception:
            log.exception("A handler of %s could not be started", self.event_type, extra={"action": "event_dropped"})
            self._settle(message.reject)

    def _finish(self, message: Any, _context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        again = exc_info and self.requeue_on_error and deliveries_of(message) < MAX_REDELIVERIES
        self._settle(message.requeue if again else message.ack)
        return result, exc_info

    def _settle(self, act: Any) -> None:
        settle(act)
        self._unsettled -= 1


event_handler = SafeEventHandler.decorator
