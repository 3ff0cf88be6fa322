"""Ends the jobs of a pool that exceed their time or their memory: one greenthread watches all of them.

The child limits itself as well (`workers/compute/child/one_at_a_time.py`), but it can't end code that never returns.
"""

import logging
from collections.abc import Callable, Collection
from math import inf
from time import monotonic

import eventlet

from workers.compute import attempt
from workers.compute.attempt import ChildDied, Ending, MemoryExceeded, TimedOut, failed
from workers.compute.children.child_job import ChildJob
from workers.compute.children.child_process import ChildProcess
from workers.compute.children.earliest_timer import EarliestTimer
from workers.operations.registry import REGISTRY

log = logging.getLogger(__name__)

START_SECONDS = 60.0
"""Seconds until a child must have begun with a job: before its first job it loads the operations."""
WATCH_SECONDS = 0.5
"""Between two checks of the memory that the children use."""


class LimitWatch:
    """Watches the jobs and the children of one pool, while there are jobs."""

    def __init__(
        self,
        jobs: Collection[ChildJob],
        children: Collection[ChildProcess],
        end: Callable[[ChildJob, Ending], None],
    ) -> None:
        """Watch `jobs` and `children` as they are at any time; call `end` for a job whose time is up."""
        self._jobs, self._children, self._end = jobs, children, end
        self._timer = EarliestTimer()
        self._running = False

    def expect_start(self, job: ChildJob) -> None:
        """Watch a job from now on: its child must begin with it in time."""
        now = monotonic()
        job.due = now + START_SECONDS
        self._timer.set(now + min(job.request.timeout, START_SECONDS))
        if not self._running:
            self._running = True
            eventlet.spawn_n(self._run)

    def _run(self) -> None:
        check_memory_at = monotonic() + WATCH_SECONDS
        while self._jobs:
            self._timer.wait(check_memory_at)
            try:
                self._check_time()
                if monotonic() >= check_memory_at:
                    check_memory_at = monotonic() + WATCH_SECONDS
                    for child in list(self._children):
                        self._check_memory(child)
            except Exception:  # every timeout depends on this loop
                log.exception("Checking the limits of jobs failed", extra={"action": "children_fault"})
        self._running = False

    def _check_time(self) -> None:
        """End the jobs whose time is up, and set the timer for the next one."""
        now = monotonic()
        for job in [job for job in self._jobs if job.due <= now]:
            job.due = inf
            if job.began is None:
                self._end(job, failed(ChildDied(f"its process was not ready within {START_SECONDS:g} s")))
            else:
                fault = TimedOut(f"took longer than its timeout of {job.request.timeout:g} s")
                self._end(job, failed(fault, _retry_on(job)))
        for job in self._jobs:
            # a job that hasn't begun may begin at any time
            self._timer.set(job.due if job.began is not None else min(job.due, now + job.request.timeout))

    @staticmethod
    def _check_memory(child: ChildProcess) -> None:
        """Kill a child that exceeds its limit: jobs that share a process share the largest of their limits."""
        jobs = [job for job in child.jobs.values() if job.began is not None]
        if not jobs or child.memory() <= (limit := max(job.memory for job in jobs)):
            return
        together = " together with the jobs that ran beside it" if len(jobs) > 1 else ""
        for job in jobs:
            fault = MemoryExceeded(f"used more than its memory limit of {attempt.megabytes(limit)}{together}")
            job.verdict = job.verdict or failed(fault, _retry_on(job))
        eventlet.spawn_n(child.dump_and_kill)


def _retry_on(job: ChildJob) -> tuple[type[BaseException], ...]:
    operation = REGISTRY.get(job.request.operation)
    return operation.retry_on if operation else ()
