"""The lookout entrypoint: has a service look at its queue when the store wakes it, and once a second whatever happens.

Stands at step 3 of a job's life, beside `doorbell.py`: the store knows at once that a job came, and the broker that it
wasn't forgotten. Next: `workers/compute.py`.
"""

import logging
from collections import deque
from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from nameko.extensions import Entrypoint, SharedExtension

from errand.errors import StoreUnavailable
from errand.patience import pauses
from errand.store import Lease, Store
from errand.store.waking import Wake
from schemas.operations import Weight, queue_of
from workers.configured import settings_of
from workers.entrypoints.doorbell import LINGER_SECONDS
from workers.identity import worker_name

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at a queue for which nobody woke this worker and no doorbell rang."""
LISTEN_SECONDS = 60.0
"""How long a connection may be silent before it is read from anew."""
BACKOFF_SECONDS = (0.1, 0.5, 1.0)
"""Pauses between tries to listen while the store is away; the last one is repeated."""


MOST_OFFERS = 8
"""Offers that are kept at most; jobs whose offer is dropped are found by the look."""


class Sleeper:
    """A lookout that waits to be woken, with what it was offered."""

    def __init__(self) -> None:
        """Begin asleep."""
        self._woken = Semaphore(0)
        self._offers: deque[Lease] = deque(maxlen=MOST_OFFERS)

    def wake(self, offer: Lease | None = None) -> None:
        """Wake it, perhaps with an offer."""
        if offer:
            self._offers.append(offer)
        self._woken.release()

    def sleep(self, seconds: float) -> list[Lease] | None:
        """Sleep until it is woken, and give what was offered; None after so long."""
        if not self._woken.acquire(timeout=seconds):
            return None
        while self._woken.acquire(blocking=False):
            pass  # one look does for all of them
        return self.offers()

    def offers(self) -> list[Lease]:
        """Take what was offered."""
        offers = list(self._offers)
        self._offers.clear()
        return offers


class Wakes(SharedExtension):  # type: ignore[misc]  # nameko has no annotations
    """Hears for all lookouts of a container what the store wakes it for, on one connection."""

    def __init__(self) -> None:
        """Begin with nobody to be woken."""
        super().__init__()
        self._sleepers: dict[str, Sleeper] = {}
        self._loop: Any = None

    def start(self) -> None:
        """Begin to listen."""
        store = Store.connect(settings_of(self))
        self._loop = self.container.spawn_managed_thread(lambda: self._listen(store))

    def stop(self) -> None:
        """Hear no more."""
        if self._loop is not None:
            self._loop.kill()

    kill = stop

    def sleeper(self, queue: str) -> Sleeper:
        """Give what is woken whenever the store wakes this worker for `queue`."""
        return self._sleepers.setdefault(queue, Sleeper())

    def _listen(self, store: Store) -> None:
        steps = pauses(BACKOFF_SECONDS)
        while True:
            try:
                with store.ear(worker_name()) as ear:
                    while True:
                        wake = ear.wait(LISTEN_SECONDS)
                        steps = pauses(BACKOFF_SECONDS)
                        self._pass_on(wake)
            except StoreUnavailable:
                pass  # each look says so already
            except Exception:
                log.exception("The lookout met a fault it does not know", extra={"action": "lookout_fault"})
            eventlet.sleep(next(steps))

    def _pass_on(self, wake: Wake | None) -> None:
        if wake and wake.queue in self._sleepers:
            self._sleepers[wake.queue].wake(wake.offer)


class Lookout(Entrypoint):  # type: ignore[misc]  # nameko has no annotations
    """Calls the method it decorates with what was offered (none: it is to look); that gives how many jobs it found."""

    wakes = Wakes()

    def __init__(self, weight: Weight = Weight.TINY, **kwargs: Any) -> None:
        """Look after the service's queue for `weight`."""
        super().__init__(expected_exceptions=(StoreUnavailable,), **kwargs)
        self._weight = weight
        self._stopping = False
        self._loop: Any = None

    def setup(self) -> None:
        """Find out by whom it is woken."""
        self._sleeper = self.wakes.sleeper(queue_of(self.container.service_name, self._weight))

    def start(self) -> None:
        """Look for the first time, so that the store knows whom to wake."""
        self._loop = self.container.spawn_managed_thread(self._look)

    def stop(self) -> None:
        """End the look at hand, then look no more."""
        self._stopping = True
        self._sleeper.wake()
        if self._loop is not None:
            self._loop.wait()

    def kill(self) -> None:
        """Look no more."""
        self._stopping = True
        if self._loop is not None:
            self._loop.kill()

    def _look(self) -> None:
        offers: list[Lease] = []
        while not self._stopping:
            busy = self._call(offers) > 1
            offers = self._sleeper.sleep(LOOK_SECONDS) or []
            if busy and not self._stopping:
                eventlet.sleep(LINGER_SECONDS)  # as they come faster than one by one: a batch costs no more than a job
                self._sleeper.offers()
                offers = []

    def _call(self, offers: list[Lease]) -> int:
        """Run the service's method in its worker; give what it found."""
        done = Event()

        def handle_result(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send(0 if exc_info else result)
            return result, exc_info

        self.container.spawn_worker(self, (offers,), {}, handle_result=handle_result)
        return int(done.wait() or 0)


lookout = Lookout.decorator
