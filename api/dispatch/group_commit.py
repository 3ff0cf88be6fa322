"""Group commit: jobs that are submitted at the same time are stored together, in one round trip to Redis.

The submit thread commits the jobs of all its current requests together. In other threads, the jobs that arrive
during one commit wait for it and then go together in the next. A job that comes alone doesn't wait.
Next: `errand/store/jobs.py`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from api.dispatch.submit_thread import AwaitAnswer, share_round_trip
from errand.errors import StoreUnavailable
from errand.store import AcceptResult, NewJob

if TYPE_CHECKING:
    from api.ports import JobStore


class _PendingJob:
    """A job to be stored, then its result or the fault."""

    __slots__ = ("fault", "job", "result")

    def __init__(self, job: NewJob) -> None:
        self.job = job
        self.result: AcceptResult | None = None
        self.fault: Exception | None = None


class GroupCommit:
    """Stores the jobs of all requests of a process."""

    def __init__(self, store: "JobStore") -> None:
        """Commit to `store`."""
        self._store = store
        self._pending: deque[_PendingJob] = deque()
        self._committing = Lock()

    def accept(self, jobs: Sequence[NewJob]) -> list[AcceptResult]:
        """Store the jobs of one request, all or none; return a result for each. Raises StoreUnavailable."""
        if len(jobs) != 1:
            return self._store.accept(jobs)  # a batch is stored as a whole or not at all
        pending = _PendingJob(jobs[0])
        if not share_round_trip(self._send, pending):
            self._commit_with_others(pending)
        if pending.result is None:
            raise pending.fault or AssertionError("neither accepted nor refused")
        return [pending.result]

    def _send(self, group: list[_PendingJob]) -> AwaitAnswer:
        """Send the jobs of the submit thread to the store."""
        jobs = [pending.job for pending in group]
        try:
            accept = self._store.begin_accept_each(jobs)
        except Exception:  # noqa: BLE001 -- `accept_each` asks again, and raises one of Errand's errors
            accept = partial(self._store.accept_each, jobs)
        return partial(self._commit, group, accept)

    def _commit_with_others(self, own: _PendingJob) -> None:
        """Commit everything that threads have queued, unless another thread has committed our job meanwhile."""
        self._pending.append(own)
        with self._committing:
            if own.result is None and own.fault is None:
                group = [self._pending.popleft() for _ in range(len(self._pending))]
                self._commit(group, partial(self._store.accept_each, [pending.job for pending in group]))

    def _commit(self, group: Sequence[_PendingJob], accept: Callable[[], list[AcceptResult]]) -> None:
        try:
            results = accept()
        except StoreUnavailable as fault:
            for pending in group:
                pending.fault = copy(fault)  # each request raises its own, with its own traceback
        except Exception:  # noqa: BLE001 -- one job may be the cause; storing a job twice changes nothing
            for pending in group:
                self._commit_alone(pending)
        else:
            for pending, result in zip(group, results, strict=True):
                pending.result = result

    def _commit_alone(self, pending: _PendingJob) -> None:
        try:
            [pending.result] = self._store.accept_each([pending.job])
        except Exception as fault:  # noqa: BLE001 -- the request that submitted this job raises it
            pending.fault = fault
