"""The rescuer: once a second, one instance for all looks after the jobs that got stuck.

Stands beside a job's whole life: expired leases run again, doorbells nobody confirmed are rung, lost doorbells are rung
again, and what is past its retention goes. What a round does is one script: `errand/store/rescue.py`.
"""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from nameko.extensions import DependencyProvider
from nameko.timer import timer

from errand.broker.publisher import Publisher, doorbell
from errand.errors import BrokerUnavailable, StoreUnavailable
from errand.settings import Settings
from errand.store import Round
from errand.topology import DOORBELLS, RESCUER
from workers.dependencies import StoreProvider, WorkerStore, settings_of

log = logging.getLogger(__name__)

LEADER_SECONDS = 5.0
"""How long an instance leads without a round; then another may take over."""
QUIET_ROUNDS = 3
"""Rounds in which the oldest waiting job stays the same while every queue is empty: then its doorbell was lost."""


class Rounds:
    """What one instance remembers from round to round: its token, and the job it waits for."""

    def __init__(self, settings: Settings) -> None:
        """Ring on the settings' broker."""
        self.settings = settings
        self.token = uuid4().hex
        self.publisher = Publisher(settings.amqp_uri)
        self._oldest: str | None = None
        self._seen = 0

    def run(self, store: WorkerStore) -> Iterator[Round]:
        """Do rounds until nothing is left to do; none when another instance leads.

        Raises StoreUnavailable, BrokerUnavailable.
        """
        settings = self.settings
        while done := store.store.rescue(self.token, LEADER_SECONDS, settings.outbox_patience, settings.result_ttl):
            self._ring(store, done)
            yield done
            if not done.is_full:
                self._look_for_lost_doorbells(store)
                return

    def _ring(self, store: WorkerStore, done: Round) -> None:
        if done.to_ring:
            self.publisher.publish([doorbell(service, job_id) for job_id, service in done.to_ring])
            store.store.confirmed([job_id for job_id, _ in done.to_ring])

    def _look_for_lost_doorbells(self, store: WorkerStore) -> None:
        oldest = store.store.oldest_waiting()
        self._seen = self._seen + 1 if oldest is not None and oldest == self._oldest else 0
        self._oldest = oldest
        if self._seen >= QUIET_ROUNDS and not any(self.publisher.depth(queue.name) for queue in DOORBELLS):
            count = store.store.ring_again()
            self._seen = 0
            log.warning("Ringing %d lost doorbells again", count, extra={"action": "doorbells_lost"})


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

    @timer(interval=1, eager=True)
    def tick(self) -> None:
        """Do a round; a fault of store or broker is for the next one."""
        try:
            for done in self.rounds.run(self.store):
                counts = (done.recovered, done.failed, len(done.to_ring))
                if any(counts):
                    log.info("Recovered %d jobs, failed %d, rang %d doorbells", *counts, extra={"action": "rescued"})
        except (StoreUnavailable, BrokerUnavailable) as fault:
            log.warning("No round this time: %s", fault, extra={"action": "round_failed"})
