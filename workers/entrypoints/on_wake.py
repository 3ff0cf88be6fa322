"""The on_wake entrypoint: a service looks at its queue when the store wakes it, and at least once a second.

Step 3 of a job's life: the store wakes an idle worker as soon as a job is accepted; the doorbell (`doorbell.py`) rings
for jobs that nobody has claimed by then. Next: `workers/compute/service.py`.
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

POLL_SECONDS = 1.0
"""Between two looks at a queue for which no wake and no doorbell came."""
BACKOFF_SECONDS = (0.1, 0.5, 1.0)
"""Pauses between attempts to listen while the store is away; the last one repeats."""
MAX_OFFERS = 8
"""Offers kept at a time; a job whose offer is dropped is found by the next look."""


class Wakeups:
    """Iterates over the moments at which a service must look at its queue, each with the jobs offered to it.

    The first comes at once, the others when the store wakes the service, at the latest a second after the last look.
    """

    def __init__(self) -> None:
        """Begin without offers."""
        self._woken = Semaphore(0)
        self._offers: deque[Lease] = deque(maxlen=MAX_OFFERS)
        self._busy = self._stopping = False

    def wake(self, offer: Lease | None = None) -> None:
        """Wake the service, with an offer if there is one."""
        if offer:
            self._offers.append(offer)
        self._woken.release()

    def found(self, jobs: int) -> None:
        """Note how many jobs the look found; after several, the next look waits briefly so that a batch can gather."""
        self._busy = jobs > 1

    def end(self) -> None:
        """Stop after the current look."""
        self._stopping = True
        self._woken.release()

    @property
    def ended(self) -> bool:
        """Whether `end` was called."""
        return self._stopping

    def __iter__(self) -> Iterator[list[Lease]]:
        """Yield the offers of each moment; an empty list means: look at the queue."""
        yield []
        while not self._stopping:
            self._woken.acquire(timeout=POLL_SECONDS)
            if self._busy and not self._stopping:
                eventlet.sleep(LINGER_SECONDS)
                self._offers.clear()  # these jobs wait in the queue with others; one claim takes them all
            while self._woken.acquire(blocking=False):
                pass  # one look answers every wake so far
            offers = list(self._offers)
            self._offers.clear()
            yield offers


class WakeDispatcher(SharedExtension):  # type: ignore[misc]  # nameko has no annotations
    """Listens on one connection for all wakes of a container, and passes each to the entrypoint of its queue."""

    def __init__(self) -> None:
        """Begin without entrypoints."""
        super().__init__()
        self._wakeups: dict[str, Wakeups] = {}
        self._loop: Any = None

    def start(self) -> None:
        """Start to listen."""
        store = Store.connect(settings_of(self))
        self._loop = self.container.spawn_managed_thread(lambda: self._listen(store))

    def stop(self) -> None:
        """Stop listening."""
        if self._loop is not None:
            self._loop.kill()

    kill = stop

    def wakeups(self, queue: str) -> Wakeups:
        """Return the wakeups of `queue`."""
        return self._wakeups.setdefault(queue, Wakeups())

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
                pass  # each look logs it already
            except Exception:
                log.exception("Unexpected fault while listening for wakes", extra={"action": "lookout_fault"})
            eventlet.sleep(next(steps))

    def _pass_on(self, wake: Wake | None) -> None:
        if wake and wake.queue in self._wakeups:
            self._wakeups[wake.queue].wake(wake.offer)


class WakeEntrypoint(Entrypoint):  # type: ignore[misc]  # nameko has no annotations
    """Calls the decorated method once, with Wakeups over which it iterates until the service stops.

    One nameko worker serves all wakes, because creating one takes longer than most tiny jobs.
    """

    dispatcher = WakeDispatcher()

    def __init__(self, weight: Weight = Weight.TINY, **kwargs: Any) -> None:
        """Watch the service's queue for `weight`."""
        super().__init__(expected_exceptions=(StoreUnavailable,), **kwargs)
        self._weight = weight
        self._loop: Any = None

    def setup(self) -> None:
        """Register for the wakes of the queue."""
        self._wakeups = self.dispatcher.wakeups(queue_of(self.container.service_name, self._weight))

    def start(self) -> None:
        """Call the method; its first look tells the store that this worker can be woken."""
        self._loop = self.container.spawn_managed_thread(self._run)

    def stop(self) -> None:
        """Return once the current look has ended."""
        self._wakeups.end()
        if self._loop is not None:
            self._loop.wait()

    def kill(self) -> None:
        """Stop at once."""
        self._wakeups.end()
        if self._loop is not None:
            self._loop.kill()

    def _run(self) -> None:
        while not self._wakeups.ended:
            done = Event()
            self.container.spawn_worker(self, (self._wakeups,), {}, handle_result=partial(_signal, done))
            if not done.wait() and not self._wakeups.ended:
                eventlet.sleep(POLL_SECONDS)


def _signal(done: Event, _context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
    done.send(exc_info is None)
    return result, exc_info


on_wake = WakeEntrypoint.decorator
