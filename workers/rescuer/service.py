"""The rescuer: once a second, one instance of all recovers stuck jobs and starts those whose time has come.

Step 7 of a job's life. Jobs with expired leases are run again, delays end, schedules fire, unconfirmed doorbells are
rung, and jobs past their retention are removed. A round is one script. Next: `errand/store/rescue.py`, `scheduler.py`.
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
from errand.store import LostAttempt, RescueRound
from schemas.operations import RESCUER
from workers.dependencies import StoreProvider, WorkerStore, settings_of
from workers.entrypoints.timer import timer
from workers.rescuer.scheduler import fire_due_schedules

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
"""Time between two rounds."""
LEADER_SECONDS = 3.0
"""How long an instance leads without a round before another may take over."""


class DoorbellRinger:
    """Rings doorbells from its own greenthread, so that a hanging broker doesn't delay the rounds."""

    def __init__(self, amqp_uri: str) -> None:
        """Ring on the broker at `amqp_uri`; the connection is opened for the first doorbell."""
        self._publisher = Publisher(amqp_uri)
        self._busy = False

    def ring(self, store: WorkerStore, doorbells: Sequence[tuple[str, str]]) -> None:
        """Ring the doorbell of each (job id, queue); jobs that can't be rung stay in the outbox for a later round."""
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
            log.exception("Unexpected fault while ringing doorbells", extra={"action": "ringer_fault"})
        finally:
            self._busy = False


class RescueRunner:
    """Runs rounds, and keeps this instance's leader token and its DoorbellRinger from one to the next."""

    def __init__(self, settings: Settings) -> None:
        """Ring on the settings' broker; draw a leader token."""
        self.ringer = DoorbellRinger(settings.amqp_uri)
        self._settings = settings
        self._token = uuid4().hex
        self._running = False

    def run(self, store: WorkerStore) -> Iterator[RescueRound]:
        """Run rounds until nothing is left to do; none if another instance leads or a round is running here.

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
        times = (LEADER_SECONDS, settings.outbox_patience, settings.lease_seconds)
        while done := store.store.rescue(self._token, *times):
            self.ringer.ring(store, [*done.to_ring, *self._fire_schedules(store)])
            yield done
            if not done.is_full:
                return

    def _fire_schedules(self, store: WorkerStore) -> list[tuple[str, str]]:
        """Fire due schedules; if the store is full, log it and go on with the round."""
        try:
            return fire_due_schedules(store.store, self._settings)
        except StoreUnavailable as fault:
            log.warning("Schedules wait: %s", fault, extra={"action": "schedules_wait"})
            return []


class RescueRunnerProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects this instance's RescueRunner."""

    def setup(self) -> None:
        """Make the runner."""
        self._runner = RescueRunner(settings_of(self))

    def stop(self) -> None:
        """Close the connection to the broker."""
        self._runner.ringer.close()

    def get_dependency(self, worker_ctx: Any) -> RescueRunner:
        """Return the runner."""
        return self._runner


class Rescuer:
    """Recovers stuck jobs; of all instances only the leader works."""

    name = RESCUER

    store = StoreProvider()
    runner = RescueRunnerProvider()

    @timer(interval=INTERVAL_SECONDS, eager=True)
    def tick(self) -> None:
        """Run a round; if the store is away, leave the work to the next one."""
        try:
            for done in self.runner.run(self.store):
                if done.recovered or done.failed:
                    log.info("Recovered %d jobs, failed %d", done.recovered, done.failed, extra={"action": "rescued"})
                for attempt in done.lost:
                    _log_lost(attempt)
                self._run_in_time(done)
        except StoreUnavailable as fault:
            log.warning("No round this time: %s", fault, extra={"action": "round_failed"})

    def _run_in_time(self, done: RescueRound) -> None:
        """Schedule an extra round if a delay ends before the next tick."""
        if done.next_due is not None and done.next_due < INTERVAL_SECONDS:
            eventlet.spawn_after(done.next_due, self.tick)


def _log_lost(lost: LostAttempt) -> None:
    """Log an attempt whose worker died, in the words of the workers' own log (`workers/compute/job_log.py`)."""
    then = "" if lost.failed else ", goes on"
    words = lost.operation, lost.attempt, lost.max_attempts, then, lost.worker
    extra = {"action": "attempt_failed", "job_id": lost.job_id}
    log.warning("%s failed in attempt %d of %d%s: its worker %s died", *words, extra=extra)
