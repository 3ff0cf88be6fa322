"""The rescuer: once a second, one instance for all looks after the jobs that got stuck.

Stands beside a job's whole life: expired leases run again, delays end, schedules fire, doorbells nobody confirmed are
rung, and what is past its retention goes. A round is one script: `errand/store/rescue.py`.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import eventlet
from nameko.extensions import DependencyProvider

from errand.broker.messages import doorbell
from errand.broker.publisher import Publisher
from errand.errors import BrokerUnavailable, StoreUnavailable
from errand.settings import Settings
from errand.store import RescueRound
from errand.topology import RESCUER
from workers.dependencies import StoreProvider, WorkerStore, settings_of
from workers.entrypoints.timer import timer
from workers.rescuer.scheduler import fire_due_schedules

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
"""Between two rounds."""
LEADER_SECONDS = 3.0
"""How long an instance leads without a round; then another may take over."""


class DoorbellRinger:
    """Rings doorbells from a greenthread of its own: a broker that hangs must not hold up the rounds."""

    def __init__(self, amqp_uri: str) -> None:
        """Ring on the broker at `amqp_uri`, which is looked for when there is something to ring."""
        self._publisher = Publisher(amqp_uri)
        self._busy = False

    def ring(self, store: WorkerStore, doorbells: Sequence[tuple[str, str]]) -> None:
        """Ring (job id, queue); those that can't be rung now are in the outbox, and come again with a later round."""
        if doorbells and not self._busy:
            self._busy = True
            eventlet.spawn_n(self._ring, store, doorbells)

    def close(self) -> None:
        """Close the connection to the broker."""
        self._publisher.close()

    def _ring(self, store: WorkerStore, doorbells: Sequence[tuple[str, str]]) -> None:
        try:
            self._publisher.publish([doorbell(queue, job_id) for job_id, queue in doorbells])
            store.store.confirmed([job_id for job_id, _ in doorbells])
        except (StoreUnavailable, BrokerUnavailable) as fault:
            log.warning("%d doorbells wait: %s", len(doorbells), fault, extra={"action": "not_rung"})
        except Exception:
            log.exception("The ringer met a fault it does not know", extra={"action": "ringer_fault"})
        finally:
            self._busy = False


class RescueRunner:
    """What one instance keeps from round to round: its token, and its ringer."""

    def __init__(self, settings: Settings) -> None:
        """Ring on the settings' broker."""
        self.ringer = DoorbellRinger(settings.amqp_uri)
        self._settings = settings
        self._token = uuid4().hex
        self._running = False

    def run(self, store: WorkerStore) -> Iterator[RescueRound]:
        """Do rounds until nothing is left to do; none when another instance leads, or when one is being done here.

        Raises StoreUnavailable.
        """
        if not self._running:
            self._running = True
            try:
                yield from self._run(store)
            finally:
                self._running = False

    def _run(self, store: WorkerStore) -> Iterator[RescueRound]:
        settings = self._settings
        times = (LEADER_SECONDS, settings.outbox_patience, settings.result_ttl, settings.lease_seconds)
        while done := store.store.rescue(self._token, *times):
            self.ringer.ring(store, [*done.to_ring, *self._started(store)])
            yield done
            if not done.is_full:
                return

    def _started(self, store: WorkerStore) -> list[tuple[str, str]]:
        """Start what schedules have due; a full store takes no job, and the rest of the round is done all the same."""
        try:
            return fire_due_schedules(store.store, self._settings)
        except StoreUnavailable as fault:
            log.warning("Schedules wait: %s", fault, extra={"action": "schedules_wait"})
            return []


class RescueRunnerProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects this instance's RescueRunner."""

    def setup(self) -> None:
        """Make them."""
        self._rounds = RescueRunner(settings_of(self))

    def stop(self) -> None:
        """Close the connection to the broker."""
        self._rounds.ringer.close()

    def get_dependency(self, worker_ctx: Any) -> RescueRunner:
        """Give the rounds."""
        return self._rounds


class Rescuer:
    """Looks after stuck jobs, one instance for all of them."""

    name = RESCUER

    store = StoreProvider()
    rounds = RescueRunnerProvider()

    @timer(interval=INTERVAL_SECONDS, eager=True)
    def tick(self) -> None:
        """Do a round; while the store is away, it is for the next one."""
        try:
            for done in self.rounds.run(self.store):
                if done.recovered or done.failed:
                    log.info("Recovered %d jobs, failed %d", done.recovered, done.failed, extra={"action": "rescued"})
                self._come_back(done)
        except StoreUnavailable as fault:
            log.warning("No round this time: %s", fault, extra={"action": "round_failed"})

    def _come_back(self, done: RescueRound) -> None:
        """Have a delay that ends before the next tick end in time."""
        if done.next_due is not None and done.next_due < INTERVAL_SECONDS:
            eventlet.spawn_after(done.next_due, self.tick)
