"""The pool of child processes in which a worker runs what isn't tiny.

A child starts when it is first needed and stays; each job ends in time, whatever happens to its child. The executor
gives the jobs. Next: `child_supply.py`.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic

import eventlet
from eventlet.event import Event

from errand.job_error import JobError
from schemas.operations import Weight
from workers.compute.attempt import CANCELLED, ChildDied, Ending, failed
from workers.compute.children.child_job import ChildJob, JobListener, RunRequest
from workers.compute.children.child_process import ChildProcess
from workers.compute.children.child_start import ChildConfig
from workers.compute.children.child_supply import ChildSupply
from workers.compute.children.limit_watch import LimitWatch
from workers.compute.children.slot_turnover import SlotTurnover

__all__ = ["ChildPool", "Ending", "JobListener", "RunRequest"]

log = logging.getLogger(__name__)

GRACE = 0.5
"""Seconds that a cancelled job has to end by itself, where others run beside it."""
TRIES = 3
"""Children to try: each may die before it begins with the job."""

HANDED_BACK = Ending("handed_back", JobError("HandedBack", "its worker stops").written())

OnEnd = Callable[[Ending], None]


class ChildPool:
    """Child processes for jobs of one weight, `slots` of them at a time."""

    def __init__(
        self,
        weight: Weight,
        slots: int,
        default_memory: int,
        max_result_bytes: int,
        modules: Sequence[str] = ("workers.operations",),
    ) -> None:
        """Run the operations in `modules`, dotted names of packages and modules; `default_memory` in bytes."""
        self._slots, self._default_memory = slots, default_memory
        config = ChildConfig(Weight(weight), tuple(modules), max_result_bytes, slots)
        self._many = config.weight is Weight.IO
        self._supply = ChildSupply(config)
        self._jobs: dict[ChildJob, ChildProcess | None] = {}
        self._taken, self._turnover = 0, SlotTurnover()
        self._changed: Event | None = None
        self._limits = LimitWatch(self._jobs.keys(), self._supply.children, self._end)
        self._stopping = False

    @property
    def slots(self) -> int:
        """The number of jobs that run at a time."""
        return self._slots

    def free(self) -> int:
        """Count the jobs that could start now, or in a moment when others will have ended."""
        if self._stopping:
            return 0
        return max(0, self._slots - self._taken + (self._turnover.expected_ends() if self._many else 0))

    def wait_free(self, least: int, timeout: float) -> bool:
        """Wait until `least` slots are free, at most `timeout` seconds; return whether they are."""
        deadline = monotonic() + timeout
        while self.free() < least:
            if (rest := deadline - monotonic()) <= 0:
                return False
            self._wait_for_change(rest)
        return True

    def start(self, request: RunRequest, listener: JobListener, on_end: OnEnd) -> None:
        """Start a job in a child; `on_end` is called with how it ended. Raises nothing and waits for nothing.

        The job takes a slot at once: the caller has asked how many are free. It needs no greenthread unless it has to
        wait for a child.
        """
        job = self._add(request, listener)
        self._taken += 1
        if not self._stopping and (child := self._supply.ready()):
            job.on_end = partial(self._ended, child, on_end)
            try:
                self._give(job, child)
            except Exception:
                log.exception(
                    "A job could not be given to its child", extra={"action": "children_fault", "job_id": request.id}
                )
            else:
                return
        self._run_in_greenthread(job, on_end)

    def run(self, request: RunRequest, listener: JobListener) -> Ending:
        """Wait for a slot, run a job in a child and return how it ended. Raises nothing."""
        job = self._add(request, listener)
        while not job.verdict and not self._stopping and self._taken >= self._slots:
            self._wait_for_change()
        self._taken += 1
        return self._run(job)

    def cancel(self, job_id: str) -> None:
        """End a running job within a second; do nothing if none has this id."""
        for job in [job for job in self._jobs if job.request.id == job_id]:
            self._end(job, CANCELLED)

    def hand_back_all(self) -> None:
        """Take no more jobs and end the running ones, for other workers to run them; wait until they have ended."""
        self._stopping = True
        for job in list(self._jobs):
            self._end(job, HANDED_BACK)
        self._notify()
        while self._jobs:
            self._wait_for_change()

    def close(self) -> None:
        """Hand back the running jobs, and end all children."""
        self.hand_back_all()
        self._supply.close()

    def _add(self, request: RunRequest, listener: JobListener) -> ChildJob:
        job = ChildJob(request, listener, self._default_memory)
        self._jobs[job] = None
        return job

    def _run_in_greenthread(self, job: ChildJob, on_end: OnEnd) -> None:
        """Run a job that has a slot in a greenthread, which can wait for a child."""
        job.on_end = None
        eventlet.spawn_n(lambda: on_end(self._run(job)))

    def _run(self, job: ChildJob) -> Ending:
        """Run a job that has a slot, then free the slot."""
        try:
            return self._try_children(job)
        except Exception as fault:  # such as no memory, or no descriptor, for one more process
            log.exception("A job could not be run", extra={"action": "children_fault", "job_id": job.request.id})
            return failed(ChildDied(f"no process could be started for it: {fault}"))
        finally:
            self._free_slot(job)

    def _try_children(self, job: ChildJob) -> Ending:
        """Give the job to a child and wait for its end; to another child if the first died before it began."""
        ending = HANDED_BACK
        for _ in range(TRIES):
            if self._stopping or job.verdict:
                return job.verdict or HANDED_BACK
            job.reset()
            child = self._supply.choose()
            self._give(job, child)
            ending = job.wait()
            if job.began is not None or child.fault:
                return ending
        return job.verdict or ending

    def _give(self, job: ChildJob, child: ChildProcess) -> None:
        """Give the job to a child, once that is ready."""
        self._jobs[job] = child
        self._limits.expect_start(job)
        child.run(job)

    def _ended(self, child: ChildProcess, on_end: OnEnd, job: ChildJob, ending: Ending) -> None:
        """Report the end of a job that has no greenthread, or give it one if its child died before it began."""
        if job.began is None and not child.fault and not job.verdict:
            self._run_in_greenthread(job, on_end)
        else:
            self._free_slot(job)
            on_end(ending)

    def _free_slot(self, job: ChildJob) -> None:
        del self._jobs[job]
        self._taken -= 1
        if job.began is not None:  # a job that never began leaves no slot that another could use
            self._turnover.count()
        self._notify()

    def _end(self, job: ChildJob, verdict: Ending) -> None:
        """End a job with this verdict, unless it already has one."""
        job.verdict = job.verdict or verdict
        child = self._jobs.get(job)
        if child is None:  # it waits for a slot
            self._notify()
        elif job.ending is not None:  # it has ended, and its child may run another job by now
            return
        elif self._many:
            eventlet.spawn_n(self._end_gently, child, job)
        else:
            self._kill(child, job.verdict)

    @staticmethod
    def _end_gently(child: ChildProcess, job: ChildJob) -> None:
        """Ask the child to cancel one job among many; kill it, with all of them, if it doesn't."""
        with eventlet.Timeout(GRACE, False):  # noqa: FBT003 -- eventlet's own signature
            child.cancel(job)
            job.wait()
        if job.ending is None:
            ChildPool._kill(child, job.verdict)

    @staticmethod
    def _kill(child: ChildProcess, verdict: Ending | None) -> None:
        """Kill a child; before that, find out where it is stuck if its job fails."""
        if verdict and verdict.kind == "failed":
            eventlet.spawn_n(child.dump_and_kill)
        else:
            child.kill()

    def _wait_for_change(self, timeout: float | None = None) -> None:
        """Wait until a slot may be free or a job has ended, at most `timeout` seconds."""
        if self._changed is None:
            self._changed = Event()
        self._changed.wait(timeout)

    def _notify(self) -> None:
        """Wake the greenthreads in `_wait_for_change`."""
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.send()
