"""The doorbell entrypoint: hands a service what rang, in batches, on a connection that heals itself.

Stands at step 3 of a job's life, between the broker and `workers/compute/service.py`. Nothing on the queue can take
the process down: what is not a job id is dropped with a line in the log, and a lost broker is looked for until it is
back. Where room for jobs is limited it listens only while there is some, so that others hear what this worker
couldn't take.
"""

import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import eventlet
from eventlet.event import Event
from kombu import Connection
from nameko.extensions import Entrypoint

from errand.backoff import pauses
from errand.broker.connection import declare, take_in
from errand.errors import StoreUnavailable
from errand.topology import doorbell_queue
from schemas.operations import Weight, queue_of
from workers.entrypoints.capacity import Capacity, Slots
from workers.entrypoints.reconnecting import BACKOFF_SECONDS, idle_seconds, keep_connected, wait_for_messages
from workers.entrypoints.safe_consumer import SafeConsumer, settle

log = logging.getLogger(__name__)

BATCH = 250
"""Doorbells handed over at once at most; twice as many are fetched ahead where room is not limited."""
LINGER_SECONDS = 0.01
"""Pause before a batch while doorbells ring faster than one by one: a batch costs the same for one job as for many.
A doorbell that rings alone is answered at once."""
LONGEST = 1024
"""Bytes a doorbell may have; an id has 36, nameko's event around one some more."""

_JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class DoorbellBatch:
    """What rang: `ids` of jobs. Until `ack()` the broker rings again for another worker if this one dies."""

    def __init__(self, ids: Sequence[str], ack: Callable[[], None]) -> None:
        """Hold `ids`; `ack` tells the broker that they were heard."""
        self.ids, self.ack = ids, ack


class DoorbellEntrypoint(Entrypoint):  # type: ignore[misc]  # nameko has no annotations
    """Calls the method it decorates with Doorbells of its service, one batch after the other."""

    room = Capacity()

    def __init__(self, weight: Weight = Weight.TINY, ids: bool = True, **kwargs: Any) -> None:
        """Listen on the service's doorbell queue for `weight`. `ids=False`: the ringing is all, whatever is in it."""
        super().__init__(expected_exceptions=(StoreUnavailable,), **kwargs)
        self._weight, self._wants_ids = weight, ids
        self._queue = ""
        self._slots: Slots | None = None
        self._ahead = 2 * BATCH
        self._heard: list[tuple[str, Any]] = []
        self._stopping = self._busy = False
        self._loop: Any = None

    def start(self) -> None:
        """Begin to listen, in a greenthread of the container."""
        self._queue = queue_of(self.container.service_name, self._weight)
        self._slots = self.room.slots(self._weight)
        if self._slots:
            # a quarter of the room at once: what is heard can always be started
            self._ahead = min(2 * BATCH, max(1, self._slots.slots // 4))
        self._loop = self.container.spawn_managed_thread(self._listen)

    def stop(self) -> None:
        """Finish the batch at hand, then stop listening."""
        self._stopping = True
        if self._loop is not None:
            self._loop.wait()

    def kill(self) -> None:
        """Stop listening at once."""
        self._stopping = True
        if self._loop is not None:
            self._loop.kill()

    def _listen(self) -> None:
        keep_connected(self.container.config, self._consume, lambda: self._stopping)

    def _consume(self, connection: Connection) -> None:
        """The story: gather what rang, hand it over; again until it is time to stop."""
        self._heard.clear()  # of an earlier connection: unheard as far as the broker knows, so they ring again
        with self._consumer(connection) as consumer:
            log.info("Listening for doorbells of %s", self._queue, extra={"action": "listening"})
            while not self._stopping:
                if self._slots and self._slots.free() < self._ahead:
                    self._wait_for_room(connection, consumer, self._slots)
                self._gather(connection)
                self._hand_over(connection)

    def _consumer(self, connection: Connection) -> SafeConsumer:
        declare(connection, [self._queue])
        return SafeConsumer(connection, doorbell_queue(self._queue), self._hear, LONGEST, self._ahead)

    def _hear(self, message: Any) -> None:
        """Keep what rang; drop garbage at once, lest it pile up here: no job depends on a message."""
        text = _text(message.body)
        if self._wants_ids and not _JOB_ID.fullmatch(text):
            log.warning("Dropped a message that is no job id", extra={"action": "garbage_dropped"})
            message.reject()
        else:
            self._heard.append((text, message))

    def _wait_for_room(self, connection: Connection, consumer: SafeConsumer, slots: Slots) -> None:
        """Listen no more until there is room, and leave what rang meanwhile to others."""
        consumer.cancel()
        for _, message in self._heard:
            message.requeue()
        self._heard.clear()
        while not self._stopping and not slots.wait_free(self._ahead, idle_seconds(connection)):
            take_in(connection)
            connection.heartbeat_check()
        consumer.consume()

    def _gather(self, connection: Connection) -> None:
        """Wait for the first doorbell, then take along those that are already here."""
        wait_for_messages(connection)
        if self._busy:
            eventlet.sleep(LINGER_SECONDS)
        with suppress(TimeoutError):
            while 0 < len(self._heard) < BATCH:
                connection.drain_events(timeout=0)

    def _hand_over(self, connection: Connection) -> None:
        if not self._heard:
            return
        self._busy = len(self._heard) > 1
        heard = self._heard[:]
        del self._heard[: len(heard)]
        acked = False

        def ack() -> None:
            nonlocal acked
            if not acked:
                acked = True
                # they are in the order of their arrival, and all before them were acknowledged
                settle(partial(heard[-1][1].ack, multiple=True))

        doorbells = DoorbellBatch([job_id for job_id, _ in heard], ack)
        for pause in pauses(BACKOFF_SECONDS):
            if self._call(doorbells) or acked or self._stopping:
                return
            # not heard yet, so it is ours still: the store is away, or the service failed before it took over
            eventlet.sleep(pause)
            take_in(connection)
            connection.heartbeat_check()

    def _call(self, doorbells: DoorbellBatch) -> bool:
        """Run the service's method in its worker; False when it raised."""
        done = Event()

        def handle_result(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send(exc_info is None)
            return result, exc_info

        self.container.spawn_worker(self, (doorbells,), {}, handle_result=handle_result)
        return bool(done.wait())


def _text(body: Any) -> str:
    return bytes(body).decode("utf-8", "replace") if isinstance(body, bytes | memoryview) else str(body)


doorbell = DoorbellEntrypoint.decorator
