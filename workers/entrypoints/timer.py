"""The timer entrypoint: nameko's, on the monotonic clock, and on request in only one of all instances.

nameko's timer follows the wall clock: a worker whose clock is set back by an hour would not tick for an hour.
"""

import logging
from time import monotonic
from typing import Any
from uuid import uuid4

from eventlet import Timeout
from nameko.timer import Timer

from errand.errors import StoreUnavailable
from errand.store import Store
from workers.dependencies import settings_of

log = logging.getLogger(__name__)

LEAST_LEASE_SECONDS = 3.0
"""Minimum time an instance leads without a tick before another instance may take over."""


class SteadyTimer(Timer):  # type: ignore[misc]  # nameko has no annotations
    """Calls the decorated method every `interval` seconds; ticks during a long call are skipped."""

    def __init__(self, interval: float, eager: bool = False, once: bool = False, **kwargs: Any) -> None:
        """Tick every `interval` seconds; `eager`: also at the start; `once`: in only one of all running instances."""
        super().__init__(interval, eager=eager, **kwargs)
        self.once = once
        self._token = uuid4().hex
        self._store: Store | None = None

    def setup(self) -> None:
        """Prepare the store that elects the leader; no connection is opened before the first tick."""
        super().setup()
        if self.once:
            self._store = Store.connect(settings_of(self))

    def start(self) -> None:
        """Start ticking, in a greenthread of the container."""
        self.gt = self.container.spawn_managed_thread(self._tick)

    def _tick(self) -> None:
        due = monotonic() + (0 if self.eager else self.interval)
        while not self._stops_within(max(0.0, due - monotonic())):
            if self._leads():
                self.handle_timer_tick()
                self.worker_complete.wait()
                self.worker_complete.reset()
            due = max(due + self.interval, monotonic())

    def _stops_within(self, seconds: float) -> bool:
        with Timeout(seconds, exception=False):
            self.should_stop.wait()
        return bool(self.should_stop.ready())

    def _leads(self) -> bool:
        """Take or renew the leader lease; return whether this instance has it. None has it while the store is away."""
        if self._store is None:
            return True
        role = f"timer:{self.container.service_name}.{self.method_name}"
        try:
            return self._store.lead(role, self._token, max(LEAST_LEASE_SECONDS, 1.5 * self.interval))
        except StoreUnavailable as fault:
            log.warning("No tick this time: %s", fault, extra={"action": "tick_failed"})
            return False


timer = SteadyTimer.decorator
