"""Runs claimed jobs: tiny ones in this process, all others in child processes (`children/`).

So the worker always has time for heartbeats, leases and cancellations. `service.py` claims the jobs and commits their
outcomes. Next: `attempt.py`.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any

import eventlet
from eventlet.semaphore import Semaphore
from nameko.extensions import DependencyProvider

from errand.errors import OperationUnknown
from errand.settings import Settings
from errand.store import Lease, Outcome, Store
from schemas.operations import Weight
from workers.compute.attempt import Ending, attempt, failed, find
from workers.compute.children import ChildPool, RunRequest
from workers.compute.lease_keeper import LeaseKeeper, key_of
from workers.compute.outcome_batches import MOST_OUTCOMES, Conclude, OutcomeBatches
from workers.compute.outcomes import outcome_of
from workers.dependencies import WorkerStore, settings_of
from workers.entrypoints.capacity import Capacity
from workers.operations.loader import load
from workers.stopping import STOP

MOST_STARTS = 64
"""Maximum jobs for children in one claim: Redis does nothing else meanwhile."""
LAST_SECONDS = 5.0
"""How long a stopping process waits until handed-back jobs are committed."""
SUSPECT_SECONDS = 10.0
"""Timeout of a suspect: a tiny operation has none of its own."""


class Executor:
    """Runs claimed jobs, here or in child processes."""

    def __init__(self, store: WorkerStore, settings: Settings) -> None:
        """Load the operations; child processes start when they are first needed."""
        self._settings = settings
        self._operations = load(settings.operation_modules)
        self.children = {
            Weight.CPU: self._pool(Weight.CPU, settings.cpu_slots or len(os.sched_getaffinity(0))),
            Weight.IO: self._pool(Weight.IO, settings.io_slots),
        }
        self._suspects = self._pool(Weight.CPU, 1)
        self._pools = [*self.children.values(), self._suspects]
        self._claiming = {weight: Semaphore() for weight in self.children}
        self._keeper = LeaseKeeper(store, self._cancel)
        self._batches = OutcomeBatches()

    def _pool(self, weight: Weight, slots: int) -> ChildPool:
        limits = (self._settings.job_memory, self._settings.max_result_bytes)
        return ChildPool(weight, slots, *limits, modules=self._settings.operation_modules)

    @contextmanager
    def room(self, weight: Weight, wanted: int = MOST_OUTCOMES) -> Iterator[int]:
        """Yield how many more jobs of this weight may be claimed, at most `wanted`; one greenthread at a time asks.

        There is always room for tiny jobs: more may be claimed while others are being committed.
        """
        children = self.children.get(weight)
        if children is None:
            yield wanted
        else:
            with self._claiming[weight]:
                yield min(wanted, children.free(), MOST_STARTS)

    def wait_for_room(self, weight: Weight, timeout: float) -> bool:
        """Wait until a job of this weight may be claimed, at most `timeout` seconds; return whether it may."""
        children = self.children.get(weight)
        return timeout > 0 and (children is None or children.wait_free(1, timeout))

    def sort(self, leases: Sequence[Lease]) -> tuple[list[Lease], list[Lease]]:
        """Separate the jobs to run here, which are tiny or of an unknown operation, from those for children."""
        here: list[Lease] = []
        for_children: list[Lease] = []
        for lease in leases:
            operation = self._operations.get(lease.operation)
            tiny = operation is None or (operation.spec.tiny and not _is_suspect(lease))
            (here if tiny else for_children).append(lease)
        return here, for_children

    def start_in_children(self, leases: Sequence[Lease], conclude: Conclude) -> None:
        """Start each job in a child; `conclude` is called with the outcomes, many at once, as the jobs end.

        The leases are kept from now on, until `release_leases`.
        """
        for lease in leases:
            self._batches.expect()
            self._start(lease, conclude)

    def run_here(self, leases: Sequence[Lease]) -> list[Outcome]:
        """Run tiny jobs one after the other; return their outcomes."""
        return [self._run(lease) for lease in leases]

    def run_offers(self, offers: Sequence[Lease]) -> list[Outcome]:
        """Run offered jobs, unless one of them isn't tiny; each is claimed only when its outcome is committed."""
        operations = [self._operations.get(offer.operation) for offer in offers]
        if not all(operation and operation.spec.tiny for operation in operations):
            return []
        return self.run_here(offers)

    def release_leases(self, outcomes: Sequence[Outcome]) -> None:
        """Stop renewing the leases of jobs that have ended, once their last reports are stored."""
        self._keeper.release([outcome.lease for outcome in outcomes])

    @property
    def running(self) -> int:
        """The number of jobs in children whose outcomes aren't committed yet."""
        return self._batches.expected

    def stop(self) -> None:
        """Give running jobs some time, then hand them back; return when all outcomes are committed."""
        STOP.wait(lambda: not self.running, self._settings.stop_grace)
        for children in self._pools:
            children.hand_back_all()
        self._batches.wait(LAST_SECONDS)
        for children in self._pools:
            children.close()
        self._keeper.close()
        self._batches.close()

    def _run(self, lease: Lease) -> Outcome:
        began = monotonic()
        try:
            operation = find(self._operations, lease.operation)
        except OperationUnknown as unknown:
            return outcome_of(lease, None, failed(unknown), began)
        ending = attempt(operation, lease.arguments, self._settings.max_result_bytes)
        return outcome_of(lease, operation, ending, began)

    def _start(self, lease: Lease, conclude: Conclude) -> None:
        """Start a job in a child, and keep its lease."""
        operation = self._operations[lease.operation]
        limits, tiny = operation.spec.limits, operation.spec.tiny
        timeout = SUSPECT_SECONDS if tiny else lease.timeout or limits.timeout or self._settings.job_timeout
        memory = limits.memory or self._settings.job_memory
        request = RunRequest(key_of(lease), lease.operation, lease.arguments, timeout, memory)
        kept, on_end = self._keeper.keep(lease), partial(self._ended, lease, conclude, monotonic())
        if tiny:
            eventlet.spawn_n(lambda: on_end(self._suspects.run(request, kept)))
        else:
            self.children[operation.spec.weight].start(request, kept, on_end)

    def _ended(self, lease: Lease, conclude: Conclude, began: float, ending: Ending) -> None:
        """Pass the outcome of a job on, together with those that end at the same time."""
        self._batches.add(outcome_of(lease, self._operations[lease.operation], ending, began), conclude)

    def _cancel(self, lease: Lease) -> None:
        for children in self._pools:
            children.cancel(key_of(lease))


def _is_suspect(lease: Lease) -> bool:
    """Return whether a tiny job should run alone: an earlier attempt was lost, perhaps because it killed its worker.

    Jobs that were claimed together with the culprit are suspects too; each costs no more than its own child.
    """
    return lease.attempt_of_run > 1


class ExecutorProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects the Executor, and offers the slots of its children as the worker's capacity."""

    room = Capacity()
    _executor: Executor | None = None

    def setup(self) -> None:
        """Make the executor."""
        settings = settings_of(self)
        self._executor = Executor(WorkerStore(Store.connect(settings), settings), settings)
        for weight, children in self._executor.children.items():
            self.room.offer(weight, children)

    def stop(self) -> None:
        """Let running jobs end, or hand them back."""
        if self._executor is not None:
            self._executor.stop()

    @property
    def running_jobs(self) -> int:
        """The number of jobs that a stop would wait for."""
        return self._executor.running if self._executor is not None else 0

    def get_dependency(self, worker_ctx: Any) -> Executor | None:
        """Return the executor."""
        return self._executor
