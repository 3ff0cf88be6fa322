"""Performs attempts of jobs: leases in, outcomes out, whatever the operations do.

Stands at step 4 of a job's life. What is declared tiny runs here, inline; all else in child processes (`children/`), so
that this process always has time for heartbeats, leases and cancellation. Next: back in `service.py`, which commits.
"""

import json
import logging
import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any

import eventlet
from eventlet.semaphore import Semaphore
from nameko.extensions import DependencyProvider

from errand.errors import OperationFailed, OperationUnknown
from errand.settings import Settings
from errand.store import Lease, Outcome, Store
from schemas.operations import Weight
from schemas.status import Status
from workers.compute import attempt
from workers.compute.attempt import Ending
from workers.compute.children import ChildPool, RunRequest
from workers.compute.lease_keeper import LeaseKeeper, key_of
from workers.dependencies import WorkerStore, settings_of
from workers.entrypoints.capacity import Capacity
from workers.operations.loader import load
from workers.operations.registry import RegisteredOperation

log = logging.getLogger(__name__)

BACKOFF_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 3600.0
"""Pause before the second attempt where the operation names none, doubled for each further one, up to the longest."""
MOST_OUTCOMES = 250
"""Outcomes that are committed together at most."""
MOST_STARTS = 64
"""Jobs for child processes that are claimed together at most: Redis does nothing else meanwhile."""

STATUS_AFTER = {
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "cancelled": Status.CANCELLED,
    "handed_back": Status.ACCEPTED,
}
"""What becomes of a job by how its attempt ended; a failed one that may go better is tried again instead."""
LAST_SECONDS = 5.0
"""How long a stopping process waits until what it handed back is written down."""
SUSPECT_SECONDS = 10.0
"""What a suspect may take: a tiny job has no timeout of its own."""

Finish = Callable[[Sequence[Outcome]], None]
"""What is called with the outcomes when attempts have ended."""


class Executor:
    """Performs leased jobs, here or in child processes."""

    def __init__(self, store: WorkerStore, settings: Settings) -> None:
        """Load the operations; child processes start when there is work for them."""
        self._settings = settings
        self._operations = load(settings.operations_list)
        self.children = {
            Weight.CPU: self._children_of(Weight.CPU, settings.cpu_slots or len(os.sched_getaffinity(0))),
            Weight.IO: self._children_of(Weight.IO, settings.io_slots),
        }
        self._suspects = self._children_of(Weight.CPU, 1)
        self._pools = [*self.children.values(), self._suspects]
        self._claiming = {weight: Semaphore() for weight in self.children}
        self._keeper = LeaseKeeper(store, self._cancel)
        self._ended: list[tuple[Outcome, Finish]] = []
        self._unfinished = 0
        self._handing_in = False
        self._desk: Any = None

    def _children_of(self, weight: Weight, slots: int) -> ChildPool:
        limits = (self._settings.job_memory, self._settings.max_result_bytes)
        return ChildPool(weight, slots, *limits, modules=self._settings.operations_list)

    def perform(self, leases: Sequence[Lease], finish: Finish) -> None:
        """Start each job; `finish` is called with the outcomes, at once with those of the tiny ones."""
        tiny: list[Outcome] = []
        for lease in leases:
            operation = self._operations.get(lease.operation)
            if operation is None or (operation.spec.tiny and not _is_suspect(lease)):
                tiny.append(self._attempt(lease))
            else:
                self._unfinished += 1
                self._start(lease, operation, finish)
        if tiny:
            finish(tiny)

    @contextmanager
    def room(self, weight: Weight, wanted: int = MOST_OUTCOMES) -> Iterator[int]:
        """Tell how many more jobs of this weight may be claimed, up to `wanted`; nobody else is told meanwhile.

        There is always room for tiny ones: while some are committed others may be claimed.
        """
        children = self.children.get(weight)
        if children is None:
            yield wanted
        else:
            with self._claiming[weight]:
                yield min(wanted, children.free(), MOST_STARTS)

    def wait_for_room(self, weight: Weight, timeout: float) -> bool:
        """Wait until a job of this weight may be claimed, `timeout` seconds at most; tell whether it may."""
        children = self.children.get(weight)
        return timeout > 0 and (children is None or children.wait_free(1, timeout))

    def attempt(self, leases: Sequence[Lease]) -> list[Outcome]:
        """Run tiny operations at once, for a caller who waits."""
        return [self._attempt(lease) for lease in leases]

    def attempt_offers(self, offers: Sequence[Lease]) -> list[Outcome]:
        """Run what is offered, if all of it is tiny; none is claimed before its outcome is committed."""
        operations = [self._operations.get(offer.operation) for offer in offers]
        if not all(operation and operation.spec.tiny for operation in operations):
            return []
        return self.attempt(offers)

    def stop(self) -> None:
        """Give running jobs some time, then hand them back; return when all of that is written down."""
        self._wait_for_the_last(self._settings.stop_grace)
        for children in self._pools:
            children.hand_back_all()
        self._wait_for_the_last(LAST_SECONDS)
        for children in self._pools:
            children.close()
        self._keeper.close()
        if self._desk is not None:
            self._desk.kill()

    def _wait_for_the_last(self, seconds: float) -> None:
        deadline = monotonic() + seconds
        while self._unfinished and monotonic() < deadline:
            eventlet.sleep(0.02)

    def _attempt(self, lease: Lease) -> Outcome:
        try:
            operation = attempt.find(self._operations, lease.operation)
        except OperationUnknown as unknown:
            return _outcome(lease, None, attempt.failed(unknown))
        return _outcome(lease, operation, attempt.attempt(operation, lease.arguments, self._settings.max_result_bytes))

    def _start(self, lease: Lease, operation: RegisteredOperation, finish: Finish) -> None:
        """Have a child perform the job; its lease is kept until the outcome is handed in."""
        limits, tiny = operation.spec.limits, operation.spec.tiny
        timeout = SUSPECT_SECONDS if tiny else lease.timeout or limits.timeout or self._settings.job_timeout
        memory = limits.memory or self._settings.job_memory
        task = RunRequest(key_of(lease), lease.operation, lease.arguments, timeout, memory)
        held, end = self._keeper.hold(lease), partial(self._end, lease, operation, finish)
        if tiny:
            eventlet.spawn_n(lambda: end(self._suspects.run(task, held)))
        else:
            self.children[operation.spec.weight].start(task, held, end)

    def _end(self, lease: Lease, operation: RegisteredOperation, finish: Finish, ending: Ending) -> None:
        """Have the outcome handed in, together with those that end at the same time."""
        self._ended.append((_outcome(lease, operation, ending), finish))
        if not self._handing_in:
            self._handing_in = True
            self._desk = eventlet.spawn(self._hand_in)

    def _hand_in(self) -> None:
        """Hand in what has ended, as much as there is at once."""
        while self._ended:
            batch, self._ended = self._ended[:MOST_OUTCOMES], self._ended[MOST_OUTCOMES:]
            outcomes = [outcome for outcome, _ in batch]
            try:
                self._keeper.let_go([outcome.lease for outcome in outcomes])
                batch[0][1](outcomes)
            except Exception:
                log.exception("Outcomes could not be handed in", extra={"action": "hand_in_fault"})
            self._unfinished -= len(batch)
        self._handing_in = False

    def _cancel(self, lease: Lease) -> None:
        for children in self._pools:
            children.cancel(key_of(lease))


def _is_suspect(lease: Lease) -> bool:
    """Tell whether a tiny job should run alone: an attempt of it has come to nothing, perhaps with its whole worker.

    Those that were claimed with it are suspects too: each then costs no more than its own child.
    """
    return lease.attempt > 1


def _outcome(lease: Lease, operation: RegisteredOperation | None, ending: Ending) -> Outcome:
    if ending.kind != "failed" or not ending.retryable:
        return Outcome(lease, STATUS_AFTER[ending.kind], ending.payload)
    first = (operation and operation.spec.limits.backoff) or BACKOFF_SECONDS
    return Outcome(lease, Status.RETRYING, ending.payload, retry_ms=int(1000 * pause_before(lease.attempt, first)))


def pause_before(attempt_made: int, first: float) -> float:
    """Give the seconds to wait after so many attempts: growing, and spread, so that what failed at once tries apart."""
    longest = min(first * 2.0 ** min(attempt_made - 1, 30), LONGEST_PAUSE_SECONDS)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 -- to spread load, not to keep a secret


def answer(status: Status, text: str) -> Any:
    """Give the result of a job (JSON text) as a value; raise OperationFailed where it is an error."""
    payload = json.loads(text)
    if status is Status.SUCCEEDED:
        return payload
    raise OperationFailed(f"{payload['type']}: {payload['message']}")


class ExecutorProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects the Executor, and offers its slots as room for jobs."""

    room = Capacity()

    def setup(self) -> None:
        """Make the crew."""
        settings = settings_of(self)
        self._crew = Executor(WorkerStore(Store.connect(settings), settings), settings)
        for weight, children in self._crew.children.items():
            self.room.offer(weight, children)

    def stop(self) -> None:
        """Let running jobs end, or hand them back."""
        self._crew.stop()

    def get_dependency(self, worker_ctx: Any) -> Executor:
        """Give the crew."""
        return self._crew
