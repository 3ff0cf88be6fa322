"""The relay: carries accepted job ids from this API process to the broker, without a request ever waiting for it.

Stands at step 2 of a job's life, in a thread of its own. It rings for jobs that nobody has claimed yet. What it can't
deliver stays in the store's outbox, where the rescuer finds it. Next: `rpc.py`, through which it calls.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import Final, NamedTuple

from flask_nameko.errors import ClientUnavailableError

from api.doorbells.rpc import PooledRpc
from errand.backoff import pauses
from errand.errors import BrokerUnavailable, StoreUnavailable
from errand.settings import Settings
from errand.store import Store
from errand.topology import MAIL, WEBHOOKS
from schemas.operations import is_tiny

log = logging.getLogger(__name__)

WINDOW: Final = 500
"""Doorbells in one window of confirms at most."""
ENOUGH: Final = 16
"""Doorbells of one window that ring for tiny jobs of one queue: each wakes a worker that takes all there are."""
WAITING_ROOM: Final = 20_000
"""Ids this process remembers while the broker is away; those beyond it are left to the rescuer."""
PATIENCE_SECONDS: Final = 0.04
"""How long a doorbell waits at most: the store has woken a worker by then, if one had nothing to do, and no doorbell is
needed. It waits for half of that at least. Fewer windows also leave more of the process to the requests."""
LOOK_SECONDS: Final = 3.0
"""How often the broker is looked after while no doorbell comes."""
BACKOFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between tries while the broker is away; the last one is repeated."""

NOTIFYING: Final = frozenset({MAIL, WEBHOOKS})
"""Queues whose doorbells ring for notifications, which are in no outbox of jobs."""


class Ring(NamedTuple):
    """The doorbell of `queue` for a job, handed over at a time (monotonic, s)."""

    job_id: str
    queue: str
    at: float


class Relay:
    """One thread that publishes what `ring` was told, in windows, unless a worker has come already."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Publish to the settings' broker and mark it in `store`; nothing is opened before `start`."""
        self._store = store
        self._rpc = PooledRpc()
        self._rpc.configure({"AMQP_URI": settings.amqp_uri})
        self._waiting: SimpleQueue[Ring | None] = SimpleQueue()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="relay", daemon=True)
        self._next: Ring | None = None
        self._looked_at = -LOOK_SECONDS
        self.broker_up = True

    def ring(self, job_id: str, queue: str) -> None:
        """Have the doorbell of `queue` rung for the job, unless it is claimed soon; returns at once."""
        if self._waiting.qsize() < WAITING_ROOM:
            self._waiting.put(Ring(job_id, queue, monotonic()))

    def start(self) -> None:
        """Start the thread; to be called in the process that serves, never before a fork."""
        self._thread.start()

    def stop(self) -> None:
        """Publish what waits if the broker lets us, then end the thread; within a few seconds."""
        self._stopping.set()
        self._waiting.put(None)
        self._thread.join(timeout=8)
        self._rpc.pool.close()

    def _run(self) -> None:
        self._publish([])
        while batch := self._next_batch():
            needed = self._needed(batch)
            if self._deliver(enough(needed)):
                self._mark(ring.job_id for ring in needed if ring.queue not in NOTIFYING)

    def _next_batch(self) -> list[Ring]:
        """Wait until a doorbell is due, then take along those that waited half as long; empty: time to stop."""
        batch: list[Ring] = []
        ring = self._first()
        if ring is not None:
            self._stopping.wait(max(0.0, ring.at + PATIENCE_SECONDS - monotonic()))
        latest = monotonic() - PATIENCE_SECONDS / 2
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
        """Leave out the doorbells of jobs that have been claimed meanwhile; all are needed while the store is away."""
        ids = [ring.job_id for ring in batch if ring.queue not in NOTIFYING]
        try:
            unheard = self._store.unheard(ids)
        except StoreUnavailable:
            return batch
        return [ring for ring in batch if ring.queue in NOTIFYING or ring.job_id in unheard]

    def _first(self) -> Ring | None:
        """Wait for a doorbell; meanwhile look after the broker, so that `broker_up` is true while nothing happens."""
        if self._next is not None:
            ring, self._next = self._next, None
            return ring
        while True:
            try:
                return self._waiting.get(timeout=LOOK_SECONDS)
            except Empty:
                self._publish([])

    def _deliver(self, batch: list[Ring]) -> bool:
        """Publish the batch, again and again while the broker is away; False: stopped meanwhile."""
        steps = pauses(BACKOFF_SECONDS)
        while not self._publish(batch):
            if self._stopping.wait(next(steps)):
                return False
        return True

    def _publish(self, batch: list[Ring]) -> bool:
        """Publish the batch in one window of confirms; False when it isn't certain that the broker has it.

        With nothing to publish it only looks after the broker, and not too often.
        """
        if not batch and monotonic() - self._looked_at < LOOK_SECONDS:
            return True
        self._looked_at = monotonic()
        try:
            self._send(batch)
        except (BrokerUnavailable, ClientUnavailableError) as fault:
            if self.broker_up:
                log.warning("The broker is away: %s", fault, extra={"action": "broker_lost"})
            self.broker_up = False
        except Exception:
            # never let this thread die: the outbox has the ids, the rescuer has the rest
            log.exception("The relay met a fault it does not know", extra={"action": "relay_fault"})
            self.broker_up = False
        else:
            if not self.broker_up:
                log.info("The broker is back", extra={"action": "broker_found"})
            self.broker_up = True
        return self.broker_up

    def _send(self, batch: list[Ring]) -> None:
        with self._rpc.pool.borrowed() as cluster:
            cluster.connect()
            for ring in batch:
                cluster[ring.queue].run.call_async(ring.job_id)
            cluster.flush()
            if not batch:
                cluster.probe()

    def _mark(self, job_ids: Iterable[str]) -> None:
        """Take the ids out of the outbox; if that fails, the rescuer rings once more, which harms nobody."""
        ids = list(job_ids)
        try:
            if ids:
                self._store.confirmed(ids)
        except StoreUnavailable as fault:
            log.warning("Could not mark doorbells as rung: %s", fault, extra={"action": "mark_failed"})


def enough(rings: Iterable[Ring]) -> list[Ring]:
    """Leave out doorbells that would tell nobody anything: a few of a window bring every worker of a tiny queue."""
    rung: Counter[str] = Counter()
    chosen = []
    for ring in rings:
        rung[ring.queue] += 1
        if rung[ring.queue] <= ENOUGH or ring.queue in NOTIFYING or not is_tiny(ring.queue):
            chosen.append(ring)
    return chosen
