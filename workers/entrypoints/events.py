"""The event_handler entrypoint: nameko's events, which no message and no lost broker can end.

Stands beside the life of a job; `workers/extending.py` gives it to plug-ins. An event is acknowledged when its handler
has ended, so one whose worker dies comes again. Queues have the names that nameko gives them.
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
from workers.entrypoints.call_consumer import HANG_UP_SECONDS
from workers.entrypoints.messages import context_of, deliveries_of, plain_json
from workers.entrypoints.queues import declare_calls
from workers.entrypoints.reconnecting import keep_connected, wait_for_messages
from workers.entrypoints.safe_consumer import SafeConsumer, settle

log = logging.getLogger(__name__)

KINDS = (SERVICE_POOL, BROADCAST, SINGLETON)
KEPT_SECONDS = 300
"""How long the embedded broker keeps events for an instance that went without a word."""
MOST_DELIVERIES = 5
"""How often an event may come again because its handler failed or its worker died."""
STARTS_IN = 2.0
"""How long a start waits until events are heard, so that none is missed that is told after it."""


class SafeEventHandler(Entrypoint):  # type: ignore[misc]  # nameko has no annotations
    """Calls the method it decorates with the payload of each event of one type of one service."""

    def __init__(
        self,
        source_service: str,
        event_type: str,
        handler_type: str = SERVICE_POOL,
        reliable_delivery: bool | None = None,
        requeue_on_error: bool = False,
        **kwargs: Any,
    ) -> None:
        """Hear events of `source_service`, once in each service, in each instance, or once in all (`handler_type`).

        `reliable_delivery`: they wait while nobody is there; not with BROADCAST. `requeue_on_error`: an event whose
        handler fails comes again, five times at most. Raises EventHandlerConfigurationError.
        """
        super().__init__(**kwargs)
        if handler_type not in KINDS:
            raise EventHandlerConfigurationError(f"handler_type is one of {', '.join(KINDS)}, not {handler_type!r}.")
        if reliable_delivery and handler_type == BROADCAST:
            raise EventHandlerConfigurationError("No broadcast waits for an instance that isn't there.")
        self.source_service, self.event_type, self.handler_type = source_service, event_type, handler_type
        self.reliable = handler_type != BROADCAST if reliable_delivery is None else reliable_delivery
        self.requeue_on_error = requeue_on_error
        self._instance = f"{uuid4().hex}@{owner()}"
        self._at_hand = 0
        self._listening = Event()
        self._stopping = False
        self._loop: Any = None

    def start(self) -> None:
        """Begin to listen, in a greenthread of the container; doesn't wait long for the broker, which may be away."""
        self._loop = self.container.spawn_managed_thread(self._listen)
        with eventlet.Timeout(STARTS_IN, exception=False):
            self._listening.wait()

    def stop(self) -> None:
        """Take no more events; return when those at hand are done, and acknowledged."""
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
        consumer = SafeConsumer(connection, queue, self._hear, MAX_BODY_BYTES, self.container.max_workers)
        consumer.consume()
        log.info("Listening for events in %s", queue.name, extra={"action": "listening"})
        if not self._listening.ready():
            self._listening.send()
        while not self._stopping:
            wait_for_messages(connection)
            consumer.hold()
        with eventlet.Timeout(HANG_UP_SECONDS, exception=False):
            consumer.cancel()
        while self._at_hand:
            wait_for_messages(connection)
            consumer.hold()

    def _declare(self, connection: Connection) -> Queue:
        """Declare the queue, with its binding, and give it; raises what faults_of() names."""
        exchange, key = events_exchange(self.source_service), self.event_type
        reader = f"{self.container.service_name}.{self.method_name}"
        if self.handler_type == BROADCAST:
            name = event_queue(self.source_service, key, f"{reader}-{self._instance}")
            passing = {"durable": False, "exclusive": True, "auto_delete": True, "expires": KEPT_SECONDS}
            queue = Queue(name, exchange, key, **passing)
        else:
            name = event_queue(self.source_service, key, "" if self.handler_type == SINGLETON else reader)
            lasting = {"queue_arguments": dict(QUORUM)} if self.reliable else {"auto_delete": True}
            queue = Queue(name, exchange, key, durable=True, **lasting)
        if self.reliable:
            declare_calls(connection, queue)
        else:
            with asking(connection) as channel:
                queue(channel).declare()
        return queue

    # ---- an event ----

    def _hear(self, message: Any) -> None:
        self._at_hand += 1
        self.container.spawn_managed_thread(partial(self._take, message), identifier="take")

    def _take(self, message: Any) -> None:
        """Start the handler; whatever the message is, nothing is raised."""
        try:
            if deliveries_of(message) > MOST_DELIVERIES:
                raise ValueError("each worker that had it died")
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
        again = exc_info and self.requeue_on_error and deliveries_of(message) < MOST_DELIVERIES
        self._settle(message.requeue if again else message.ack)
        return result, exc_info

    def _settle(self, tell: Any) -> None:
        settle(tell)
        self._at_hand -= 1


event_handler = SafeEventHandler.decorator
