"""The rescuer: once a second, one instance for all looks after the jobs that got stuck.

Stands beside a job's whole life: expired leases run again, delays end, schedules fire, doorbells nobody confirmed or
that were lost are rung, and what is past its retention goes. A round is one script: `errand/store/rescue.py`.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import eventlet
from nameko.extensions import DependencyProvider
from nameko.timer import timer

from errand.broker.publisher import Publisher, doorbell
from errand.errors import BrokerUnavailable, StoreUnavailable
from errand.settings import Settings
from errand.store import Round
from errand.topology import RESCUER
from workers.dependencies import StoreProvider, WorkerStore, settings_of
from workers.ticks import fire_due

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
"""Between two rounds."""
LEADER_SECONDS = 5.0
"""How long an instance leads without a round; then another may take over."""
QUIET_ROUNDS = 3
"""Rounds in which the oldest job of a queue stays the same while no doorbell is in it: then its own was lost."""


class Rounds:
    """What one instance remembers from round to round: its token, and which job each queue waits with."""

    def __init__(self, settings: Settings) -> None:
        """Ring on the settings' broker."""
        self.settings = settings
        self.token = uuid4().hex
        self.publisher = Publisher(settings.amqp_uri)
        self._oldest: dict[str, tuple[str, int]] = {}
        self._running = False

    def run(self, store: WorkerStore) -> Iterator[Round]:
        """Do rounds until nothing is left to do; none when another instance leads, or when one is being done here.

        Raises StoreUnavailable, BrokerUnavailable.
        """
        if not self._running:
            self._running = True
            try:
                yield from self._run(store)
            finally:
                self._running = False

    def _run(self, store: WorkerStore) -> Iterator[Round]:
        settings = self.settings
        while done := store.store.rescue(self.token, LEADER_SECONDS, settings.outbox_patience, settings.result_ttl):
            # started before anything is rung: they are accepted while the broker is away, as all jobs are
            started = fire_due(store.store, settings)
            self._ring(store, [*done.to_ring, *started])
            yield done
            if not done.is_full:
                self._look_for_lost_doorbells(store)
                return

    def _ring(self, store: WorkerStore, doorbells: Sequence[tuple[str, str]]) -> None:
        if doorbells:
            self.publisher.publish([doorbell(queue, job_id) for job_id, queue in doorbells])
            store.store.confirmed([job_id for job_id, _ in doorbells])

    def _look_for_lost_doorbells(self, store: WorkerStore) -> None:
        earlier, self._oldest = self._oldest, {}
        for queue, job_id in store.store.oldest_waiting().items():
            before, rounds = earlier.get(queue, ("", 0))
            rounds = rounds + 1 if job_id == before else 0
            if rounds >= QUIET_ROUNDS and not self.publisher.depth(queue):
                count, rounds = store.store.ring_again(queue), 0
                log.warning("Ringing %d lost doorbells of %s", count, queue, extra={"action": "doorbells_lost"})
            self._oldest[queue] = (job_id, rounds)


class RoundsProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects this instance's Rounds."""

    def setup(self) -> None:
        """Make them; the broker is looked for when there is something to ring."""
        self._rounds = Rounds(settings_of(self))

    def stop(self) -> None:
        """Close the connection to the broker."""
        self._rounds.publisher.close()

    def get_dependency(self, worker_ctx: Any) -> Rounds:
        """Give the rounds."""
        return self._rounds


class Rescuer:
    """Looks after stuck jobs, one instance for all of them."""

    name = RESCUER

    store = StoreProvider()
    rounds = RoundsProvider()

    @timer(interval=INTERVAL_SECONDS, eager=True)
    def tick(self) -> None:
        """Do a round; a fault of store or broker is for the next one."""
        try:
            for done in self.rounds.run(self.store):
                if done.recovered or done.failed:
                    log.info("Recovered %d jobs, failed %d", done.recovered, done.failed, extra={"action": "rescued"})
                self._come_back(done)
        except (StoreUnavailable, BrokerUnavailable) as fault:
            log.warning("No round this time: %s", fault, extra={"action": "round_failed"})

    def _come_back(self, done: Round) -> None:
        """Have a delay that ends before the next tick end in time."""
        if done.next_due is not None and done.next_due < INTERVAL_SECONDS:
            eventlet.spawn_after(done.next_due, self.tick)
