"""The doorbell entrypoint: passes doorbells to a service in batches, and reconnects by itself.

Step 3 of a job's life, between the broker and `workers/compute/service.py`. No message can crash the process: one that
isn't a job id is dropped with a log line. Where the number of jobs is limited, doorbells are consumed only while slots
are free, so that other workers get those that this one has no room for.
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
from errand.broker.connection import declare, read_incoming
from errand.errors import StoreUnavailable
from errand.topology import doorbell_queue
from schemas.operations import Weight, queue_of
from workers.entrypoints.capacity import Capacity, Slots
from workers.entrypoints.consuming.connection_loop import (
    BACKOFF_SECONDS,
    idle_seconds,
    keep_connected,
    wait_for_messages,
)
from workers.entrypoints.consuming.filtering_consumer import FilteringConsumer, settle

log = logging.getLogger(__name__)

BATCH = 250
"""Maximum doorbells in a batch; twice as many are prefetched where the number of jobs is not limited."""
LINGER_SECONDS = 0.01
"""Pause before a batch while several doorbells ring at a time, as a large batch costs no more than a small one.
A single doorbell is answered at once."""
MAX_BYTES = 1024
"""Maximum bytes of a doorbell; a job id has 36, and nameko's event adds a few."""

_JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class DoorbellBatch:
    """The `ids` of jobs whose doorbells rang. If this worker dies before `ack()`, the broker redelivers them."""

    def __init__(self, ids: Sequence[str], ack: Callable[[], None]) -> None:
        """Hold `ids`; `ack` acknowledges all of them to the broker."""
        self.ids, self.ack = ids, ack


class DoorbellEntrypoint(Entrypoint):  # type: ignore[misc]  # nameko has no annotations
    """Calls the decorated method with one DoorbellBatch of its service after another."""

    capacity = Capacity()

    def __init__(self, weight: Weight = Weight.TINY, ids: bool = True, **kwargs: Any) -> None:
        """Consume the service's doorbell queue for `weight`. `ids=False`: accept any message, whatever its body."""
        super().__init__(expected_exceptions=(StoreUnavailable,), **kwargs)
        self._weight, self._wants_ids = weight, ids
        self._queue = ""
        self._slots: Slots | None = None
        self._prefetch = 2 * BATCH
        self._received: list[tuple[str, Any]] = []
        self._stopping = self._busy = False
        self._loop: Any = None

    def start(self) -> None:
        """Start to consume in a greenthread of the container."""
        self._queue = queue_of(self.container.service_name, self._weight)
        self._slots = self.capacity.slots(self._weight)
        if self._slots:
            # a quarter of the slots at a time, so that every received job can be started
            self._prefetch = min(2 * BATCH, max(1, self._slots.slots // 4))
        self._loop = self.container.spawn_managed_thread(self._listen)

    def stop(self) -> None:
        """Finish the current batch, then stop consuming."""
        self._stopping = True
        if self._loop is not None:
            self._loop.wait()

    def kill(self) -> None:
        """Stop consuming at once."""
        self._stopping = True
        if self._loop is not None:
            self._loop.kill()

    def _listen(self) -> None:
        keep_connected(self.container.config, self._consume, lambda: self._stopping)

    def _consume(self, connection: Connection) -> None:
        """Gather doorbells and hand them over, again and again until stopped."""
        self._received.clear()  # the broker redelivers those of an earlier connection
        with self._consumer(connection) as consumer:
            log.debug("Listening for doorbells of %s", self._queue, extra={"action": "listening"})
            while not self._stopping:
                if self._slots and self._slots.free() < self._prefetch:
                    self._wait_for_slots(connection, consumer, self._slots)
                self._gather(connection)
                self._hand_over(connection)

    def _consumer(self, connection: Connection) -> FilteringConsumer:
        declare(connection, [self._queue])
        return FilteringConsumer(connection, doorbell_queue(self._queue), self._receive, MAX_BYTES, self._prefetch)

    def _receive(self, message: Any) -> None:
        """Keep a doorbell; drop anything else at once so that it doesn't pile up."""
        text = _text(message.body)
        if self._wants_ids and not _JOB_ID.fullmatch(text):
            log.warning("Dropped a message that is not a job id", extra={"action": "garbage_dropped"})
            message.reject()
        else:
            self._received.append((text, message))

    def _wait_for_slots(self, connection: Connection, consumer: FilteringConsumer, slots: Slots) -> None:
        """Stop consuming until slots are free, and return the doorbells received so far to other workers."""
        consumer.cancel()
        for _, message in self._received:
            message.requeue()
        self._received.clear()
        while not self._stopping and not slots.wait_free(self._prefetch, idle_seconds(connection)):
            read_incoming(connection)
            connection.heartbeat_check()
        consumer.consume()

    def _gather(self, connection: Connection) -> None:
        """Wait for the first doorbell, then add those that have arrived already."""
        wait_for_messages(connection)
        if self._busy:
            eventlet.sleep(LINGER_SECONDS)
        with suppress(TimeoutError):
            while 0 < len(self._received) < BATCH:
                connection.drain_events(timeout=0)

    def _hand_over(self, connection: Connection) -> None:
        if not self._received:
            return
        self._busy = len(self._received) > 1
        batch = self._received[:]
        del self._received[: len(batch)]
        acked = False

        def ack() -> None:
            nonlocal acked
            if not acked:
                acked = True
                # messages are in order of arrival, and all earlier ones are acknowledged already
                settle(partial(batch[-1][1].ack, multiple=True))

        doorbells = DoorbellBatch([job_id for job_id, _ in batch], ack)
        for pause in pauses(BACKOFF_SECONDS):
            if self._call(doorbells) or acked or self._stopping:
                return
            # not acknowledged, so still ours: the store is away, or the service failed before it claimed the jobs
            eventlet.sleep(pause)
            read_incoming(connection)
            connection.heartbeat_check()

    def _call(self, doorbells: DoorbellBatch) -> bool:
        """Run the service's method in a nameko worker; return False if it raised."""
        done = Event()

        def handle_result(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send(exc_info is None)
            return result, exc_info

        self.container.spawn_worker(self, (doorbells,), {}, handle_result=handle_result)
        return bool(done.wait())


def _text(body: Any) -> str:
    return bytes(body).decode("utf-8", "replace") if isinstance(body, bytes | memoryview) else str(body)


doorbell = DoorbellEntrypoint.decorator
