"""The lookout entrypoint: has a service look at its queue when the store wakes it, and once a second whatever happens.

Stands at step 3 of a job's life, beside `doorbell.py`: the store knows at once that a job came, and the broker that it
wasn't forgotten. Next: `workers/compute/service.py`.
"""

import logging
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from nameko.extensions import Entrypoint, SharedExtension

from errand.backoff import pauses
from errand.errors import StoreUnavailable
from errand.store import Lease, Store
from errand.store.wake_queue import Wake
from schemas.operations import Weight, queue_of
from workers.dependencies import settings_of, worker_name
from workers.entrypoints.doorbell import LINGER_SECONDS

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at a queue for which nobody woke this worker and no doorbell rang."""
BACKOFF_SECONDS = (0.1, 0.5, 1.0)
"""Pauses between tries to listen while the store is away; the last one is repeated."""


MOST_OFFERS = 8
"""Offers that are kept at most; jobs whose offer is dropped are found by the look."""


class WakeWatch:
    """What a service goes through while it lives: each time it is to look at its queue, and what it is offered.

    That is at once at first, then whenever the store wakes it, and at the latest a second after it looked.
    """

    def __init__(self) -> None:
        """Begin with nothing offered."""
        self._woken = Semaphore(0)
        self._offers: deque[Lease] = deque(maxlen=MOST_OFFERS)
        self._busy = self._stopping = False

    def wake(self, offer: Lease | None = None) -> None:
        """Have it look, or take an offer."""
        if offer:
            self._offers.append(offer)
        self._woken.release()

    def found(self, jobs: int) -> None:
        """Be told how many jobs there were: several at once come faster than one by one, and a batch costs the same."""
        self._busy = jobs > 1

    def end(self) -> None:
        """Have it end after the look at hand."""
        self._stopping = True
        self._woken.release()

    @property
    def ended(self) -> bool:
        """Tell whether it is to end."""
        return self._stopping

    def __iter__(self) -> Iterator[list[Lease]]:
        """Give what is offered; nothing means that it is to look."""
        yield []
        while not self._stopping:
            self._woken.acquire(timeout=LOOK_SECONDS)
            if self._busy and not self._stopping:
                eventlet.sleep(LINGER_SECONDS)
                self._offers.clear()  # they wait in the queue, and more with them
            while self._woken.acquire(blocking=False):
                pass  # one look does for all of them
            offers = list(self._offers)
            self._offers.clear()
            yield offers


class Wakes(SharedExtension):  # type: ignore[misc]  # nameko has no annotations
    """Hears for all lookouts of a container what the store wakes it for, on one connection."""

    def __init__(self) -> None:
        """Begin with nobody to be woken."""
        super().__init__()
        self._watches: dict[str, WakeWatch] = {}
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

    def watch(self, queue: str) -> WakeWatch:
        """Give what is woken whenever the store wakes this worker for `queue`."""
        return self._watches.setdefault(queue, WakeWatch())

    def _listen(self, store: Store) -> None:
        steps = pauses(BACKOFF_SECONDS)
        while True:
            try:
                with store.ear(worker_name()) as ear:
                    while True:
                        wake = ear.wait()
                        steps = pauses(BACKOFF_SECONDS)
                        self._pass_on(wake)
            except StoreUnavailable:
                pass  # each look says so already
            except Exception:
                log.exception("The lookout met a fault it does not know", extra={"action": "lookout_fault"})
            eventlet.sleep(next(steps))

    def _pass_on(self, wake: Wake | None) -> None:
        if wake and wake.queue in self._watches:
            self._watches[wake.queue].wake(wake.offer)


class WakeEntrypoint(Entrypoint):  # type: ignore[misc]  # nameko has no annotations
    """Calls the method it decorates once, with a Watch that it goes through until the service stops.

    One worker of nameko's for all of it, and not one for each job: making one takes longer than most tiny jobs.
    """

    wakes = Wakes()

    def __init__(self, weight: Weight = Weight.TINY, **kwargs: Any) -> None:
        """Look after the service's queue for `weight`."""
        super().__init__(expected_exceptions=(StoreUnavailable,), **kwargs)
        self._weight = weight
        self._loop: Any = None

    def setup(self) -> None:
        """Find out by whom it is woken."""
        self._watch = self.wakes.watch(queue_of(self.container.service_name, self._weight))

    def start(self) -> None:
        """Look for the first time, so that the store knows whom to wake."""
        self._loop = self.container.spawn_managed_thread(self._look)

    def stop(self) -> None:
        """End the look at hand, then look no more."""
        self._watch.end()
        if self._loop is not None:
            self._loop.wait()

    def kill(self) -> None:
        """Look no more."""
        self._watch.end()
        if self._loop is not None:
            self._loop.kill()

    def _look(self) -> None:
        while not self._watch.ended:
            done = Event()
            self.container.spawn_worker(self, (self._watch,), {}, handle_result=partial(_tell, done))
            if not done.wait() and not self._watch.ended:
                eventlet.sleep(LOOK_SECONDS)


def _tell(done: Event, _context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
    done.send(exc_info is None)
    return result, exc_info


lookout = WakeEntrypoint.decorator
