"""Accepts the jobs of requests that wait at the same time in one step: one round trip to Redis for all of them.

Stands at step 1 of a job's life, between `api/jobs/submit.py` and the store. Those of the express lane go when all of
them are there. Elsewhere, while one thread's job is on its way those of others gather; the next one takes all of them
along. Who comes alone doesn't wait.
"""

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from api.dispatch import submit_thread
from errand.errors import StoreUnavailable
from errand.store import AcceptResult, NewJob

if TYPE_CHECKING:
    from api.ports import JobStore


class _PendingJob:
    """A job to be accepted, and what became of it."""

    __slots__ = ("fault", "job", "verdict")

    def __init__(self, job: NewJob) -> None:
        self.job = job
        self.verdict: AcceptResult | None = None
        self.fault: Exception | None = None


class GroupCommit:
    """Accepts into a store for all requests of a process."""

    def __init__(self, store: "JobStore") -> None:
        """Accept into `store`."""
        self._store = store
        self._wishes: deque[_PendingJob] = deque()
        self._turn = Lock()

    def accept(self, jobs: Sequence[NewJob]) -> list[AcceptResult]:
        """Store the jobs, all or nothing, as the store does; raise StoreUnavailable."""
        if len(jobs) != 1 or jobs[0].key:
            return self._store.accept(jobs)  # one conflict refuses all that are accepted together
        wish = _PendingJob(jobs[0])
        if not submit_thread.wait_for(self._begin, wish):
            self._take_along(wish)
        if wish.verdict is None:
            raise wish.fault or AssertionError("neither accepted nor refused")
        return [wish.verdict]

    def _begin(self, group: list[_PendingJob]) -> submit_thread.Finish:
        """Send the jobs of the express lane to the store."""
        jobs = [wish.job for wish in group]
        try:
            ask = self._store.begin_accept(jobs)
        except Exception:  # noqa: BLE001 -- asked once more, and in good order, it is told what it was
            ask = partial(self._store.accept, jobs)
        return partial(self._accept, group, ask)

    def _take_along(self, own: _PendingJob) -> None:
        """Accept all that threads have gathered, unless our own was taken along meanwhile."""
        self._wishes.append(own)
        with self._turn:
            if own.verdict is None and own.fault is None:
                group = [self._wishes.popleft() for _ in range(len(self._wishes))]
                self._accept(group, partial(self._store.accept, [wish.job for wish in group]))

    def _accept(self, group: Sequence[_PendingJob], ask: Callable[[], list[AcceptResult]]) -> None:
        try:
            verdicts = ask()
        except StoreUnavailable as fault:
            for wish in group:
                wish.fault = copy(fault)  # each is raised, with a traceback of its own
        except Exception:  # noqa: BLE001 -- one may be the cause; asked twice, the store changes nothing
            for wish in group:
                self._accept_alone(wish)
        else:
            for wish, verdict in zip(group, verdicts, strict=True):
                wish.verdict = verdict

    def _accept_alone(self, wish: _PendingJob) -> None:
        try:
            [wish.verdict] = self._store.accept([wish.job])
        except Exception as fault:  # noqa: BLE001 -- it is raised by the thread whose job this is
            wish.fault = fault
