"""Publishes the ids of accepted jobs to the broker from a thread of its own, so that no request waits for the broker.

`api/jobs/submit.py` hands over the ids. The relay publishes, in windows, the ids of jobs that no worker has claimed
yet. An id that it can't publish stays in the store's outbox, where the rescuer finds it. Next: `proxy.py`.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import Final, NamedTuple

from api.doorbells.proxy import DoorbellProxy
from errand.backoff import pauses
from errand.broker.messages import doorbell
from errand.errors import BrokerUnavailable, StoreUnavailable
from errand.settings import Settings
from errand.store import Store
from schemas.operations import MAIL, WEBHOOKS, is_tiny

log = logging.getLogger(__name__)

WINDOW: Final = 500
"""Maximum doorbells in one window of confirms."""
MAX_PER_TINY_QUEUE: Final = 16
"""Maximum doorbells in one window for a queue of tiny jobs: each wakes a worker that takes all jobs of the queue."""
MAX_WAITING: Final = 20_000
"""Maximum ids this process keeps while the broker is away; further ids are left to the rescuer."""
MAX_DELAY_SECONDS: Final = 0.04
"""A doorbell waits this long at most, and half of it at least. By then the store has woken a worker if one was idle, so
that the doorbell isn't needed. Fewer windows also leave more of the process to the requests."""
PROBE_SECONDS: Final = 3.0
"""How often the broker is probed while no doorbell is due."""
BACKOFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between attempts while the broker is away; the last one is repeated."""

NOTIFYING: Final = frozenset({MAIL, WEBHOOKS})
"""Queues whose doorbells ring for notifications, which are not in the outbox of jobs."""


class Ring(NamedTuple):
    """A doorbell to ring: the job, the queue, and the time at which it was handed over (monotonic, s)."""

    job_id: str
    queue: str
    at: float


class Relay:
    """One thread that publishes the doorbells passed to `ring`, except for jobs that a worker has claimed by then."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Publish to the settings' broker and mark the ids in `store`; nothing is connected before `start`.

        No thread is made here either: the relay may be made before a fork, and since Python 3.13 a thread made before
        a fork can't be started after it.
        """
        self._store = store
        self._proxy = DoorbellProxy(settings.amqp_uri)
        self._waiting: SimpleQueue[Ring | None] = SimpleQueue()
        self._stopping = Event()
        self._thread: Thread | None = None
        self._next: Ring | None = None
        self._probed_at = -PROBE_SECONDS
        self.broker_up = True

    def ring(self, job_id: str, queue: str) -> None:
        """Ring the doorbell of `queue` soon, unless the job is claimed first; returns at once."""
        if self._waiting.qsize() < MAX_WAITING:
            self._waiting.put(Ring(job_id, queue, monotonic()))

    def start(self) -> None:
        """Start the thread. Call it in the process that serves: a thread doesn't survive a fork."""
        self._thread = Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Publish the waiting doorbells if the broker takes them, then end the thread; within a few seconds."""
        self._stopping.set()
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(timeout=8)
        self._proxy.close()

    def _run(self) -> None:
        self._publish([])
        while batch := self._next_batch():
            needed = self._needed(batch)
            if self._deliver(without_surplus(needed)):
                self._mark(ring.job_id for ring in needed if ring.queue not in NOTIFYING)

    def _next_batch(self) -> list[Ring]:
        """Wait until a doorbell is due; add those that have waited half as long. Empty when the relay stops."""
        batch: list[Ring] = []
        ring = self._first()
        if ring is not None:
            self._stopping.wait(max(0.0, ring.at + MAX_DELAY_SECONDS - monotonic()))
        latest = monotonic() - MAX_DELAY_SECONDS / 2
        while ring is not None:
            if ring.at > latest and not self._stopping.is_set():
                self._next = ring
                return batch
            batch.append(ring)
            if len(batch) == WINDOW:
                return batch
            try:
                ring = self._waiting.get_nowait()
            except Empty:
                return batch
        if batch:
            self._waiting.put(None)  # for the next call: this batch comes first
        return batch

    def _needed(self, batch: list[Ring]) -> list[Ring]:
        """Leave out the doorbells of jobs that have been claimed by now; keep all while the store is away."""
        ids = [ring.job_id for ring in batch if ring.queue not in NOTIFYING]
        try:
            unclaimed = self._store.unheard(ids)
        except StoreUnavailable:
            return batch
        return [ring for ring in batch if ring.queue in NOTIFYING or ring.job_id in unclaimed]

    def _first(self) -> Ring | None:
        """Wait for a doorbell; probe the broker meanwhile, so that `broker_up` stays current."""
        if self._next is not None:
            ring, self._next = self._next, None
            return ring
        while True:
            try:
                return self._waiting.get(timeout=PROBE_SECONDS)
            except Empty:
                self._publish([])

    def _deliver(self, batch: list[Ring]) -> bool:
        """Publish the batch, and try again while the broker is away; False if the relay was stopped first."""
        steps = pauses(BACKOFF_SECONDS)
        while not self._publish(batch):
            if self._stopping.wait(next(steps)):
                return False
        return True

    def _publish(self, batch: list[Ring]) -> bool:
        """Publish the batch in one window of confirms; False when it isn't certain that the broker has it.

        An empty batch probes the broker, once in PROBE_SECONDS at most.
        """
        if not batch and monotonic() - self._probed_at < PROBE_SECONDS:
            return True
        self._probed_at = monotonic()
        try:
            self._send(batch)
        except BrokerUnavailable as fault:
            if self.broker_up:
                log.warning("The broker is away: %s", fault, extra={"action": "broker_lost"})
            self.broker_up = False
        except Exception:
            # this thread must not die; the outbox keeps the ids, and the rescuer publishes them
            log.exception("Unexpected error in the relay", extra={"action": "relay_fault"})
            self.broker_up = False
        else:
            if not self.broker_up:
                log.info("The broker is back", extra={"action": "broker_found"})
            self.broker_up = True
        return self.broker_up

    def _send(self, batch: list[Ring]) -> None:
        with self._proxy.publisher() as publisher:
            if batch:
                publisher.publish([doorbell(ring.queue, ring.job_id) for ring in batch])
            else:
                publisher.probe()

    def _mark(self, job_ids: Iterable[str]) -> None:
        """Take the ids out of the outbox; if that fails, the rescuer publishes them once more, which does no harm."""
        ids = list(job_ids)
        try:
            if ids:
                self._store.confirmed(ids)
        except StoreUnavailable as fault:
            log.warning("Could not mark doorbells as rung: %s", fault, extra={"action": "mark_failed"})


def without_surplus(rings: Iterable[Ring]) -> list[Ring]:
    """Keep at most MAX_PER_TINY_QUEUE doorbells for each queue of tiny jobs, and all other doorbells."""
    rung: Counter[str] = Counter()
    kept = []
    for ring in rings:
        rung[ring.queue] += 1
        if rung[ring.queue] <= MAX_PER_TINY_QUEUE or ring.queue in NOTIFYING or not is_tiny(ring.queue):
            kept.append(ring)
    return kept
