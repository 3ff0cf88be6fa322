"""The warm pool of child processes in which a worker runs what isn't tiny.

Stands at step 4 of a job's life, inside the worker. Children start when they are first needed and stay; each job ends
in time, whatever happens to the child that runs it. Next: `child_process.py`.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from time import monotonic

import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore

from schemas.operations import Weight
from workers.compute import attempt
from workers.compute.attempt import CANCELLED, ChildDied, Ending, MemoryExceeded, TimedOut, failed
from workers.compute.children.child_job import ChildJob, JobListener, RunRequest
from workers.compute.children.child_process import ChildConfig, ChildProcess
from workers.compute.children.earliest_timer import EarliestTimer
from workers.compute.children.slot_turnover import SlotTurnover
from workers.compute.children.work_folders import WorkFolders
from workers.operations.registry import REGISTRY

__all__ = ["ChildPool", "Ending", "JobListener", "RunRequest"]

log = logging.getLogger(__name__)

STARTS_IN = 60.0
"""Seconds until a child must have begun with a job: it loads the operations before the first."""
GRACE = 0.5
"""Seconds that a cancelled operation has for its last words, where others run beside it."""
WATCH_SECONDS = 0.5
"""Between two looks at how much memory the children take."""
TRIES = 3
"""Children that may die before a job has reached one."""

HANDED_BACK = Ending("handed_back", attempt.error_text("HandedBack", "its worker stops"))


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
        self._plan = ChildConfig(Weight(weight), tuple(modules), max_result_bytes, slots)
        self._many = self._plan.weight is Weight.IO
        self._children: set[ChildProcess] = set()
        self._choosing = Semaphore()
        self._folders: WorkFolders | None = None
        self._jobs: dict[ChildJob, ChildProcess | None] = {}
        self._taken, self._turnover = 0, SlotTurnover()
        self._changed: Event | None = None
        self._alarm = EarliestTimer()
        self._stopping = self._watching = False

    @property
    def slots(self) -> int:
        """How many jobs run at a time."""
        return self._slots

    def free(self) -> int:
        """Give the number of jobs that could start now, or in a moment, when others have made room for them."""
        if self._stopping:
            return 0
        return max(0, self._slots - self._taken + (self._turnover.soon() if self._many else 0))

    def wait_free(self, least: int, timeout: float) -> bool:
        """Wait until `least` slots are free, `timeout` seconds at most; say whether they are."""
        deadline = monotonic() + timeout
        while self.free() < least:
            if (rest := deadline - monotonic()) <= 0:
                return False
            self._wait_for_news(rest)
        return True

    def start(self, request: RunRequest, listener: JobListener, finish: Callable[[Ending], None]) -> None:
        """Have a task run, and `finish` called with how it ended; raises nothing and waits for nothing.

        It takes a slot at once: whoever calls has asked how many are free. Where there is a child to give it to, it
        takes no greenthread.
        """
        self._taken += 1
        job = ChildJob(request, listener)
        self._jobs[job] = None
        if child := self._at_hand():
            job.on_end = partial(self._ended, child, finish)
            try:
                self._hand(job, child)
            except Exception:
                log.exception(
                    "A job could not be handed over", extra={"action": "children_fault", "job_id": request.id}
                )
            else:
                return
        self._run_apart(job, finish)

    def run(self, request: RunRequest, listener: JobListener) -> Ending:
        """Wait for a slot, run a task in a child and tell how it ended. Raises nothing."""
        job = ChildJob(request, listener)
        self._jobs[job] = None
        while not job.verdict and not self._stopping and self._taken >= self._slots:
            self._wait_for_news()
        self._taken += 1
        return self._run(job)

    def cancel(self, job_id: str) -> None:
        """End a job that runs, within a second; nothing when there is none of this id."""
        for job in [job for job in self._jobs if job.request.id == job_id]:
            self._end(job, CANCELLED)

    def hand_back_all(self) -> None:
        """Take no job any more and end those that run, to be run by others; returns when they have ended."""
        self._stopping = True
        for job in list(self._jobs):
            self._end(job, HANDED_BACK)
        self._tell()
        while self._jobs:
            self._wait_for_news()

    def close(self) -> None:
        """Hand back what runs, and end all children."""
        self.hand_back_all()
        children = list(self._children)
        for child in children:
            child.kill()
        for child in children:
            child.ended.wait(GRACE)
        if self._folders:
            self._folders.close()

    def _run_apart(self, job: ChildJob, finish: Callable[[Ending], None]) -> None:
        """Have a job run that has a slot, in a greenthread that has the time to wait for a child."""
        job.on_end = None
        eventlet.spawn_n(lambda: finish(self._run(job)))

    def _run(self, job: ChildJob) -> Ending:
        """Have a job run that has a slot, and let go of that."""
        try:
            return self._try(job)
        except Exception as fault:  # such as no memory, or no descriptor, for one process more
            log.exception("A job could not be run", extra={"action": "children_fault", "job_id": job.request.id})
            return failed(ChildDied(f"no process could be had for it: {fault}"))
        finally:
            self._let_go(job)

    def _try(self, job: ChildJob) -> Ending:
        """Give the job to a child and wait for its end; to another child where the first died before it began."""
        ending = HANDED_BACK
        for _ in range(TRIES):
            if self._stopping or job.verdict:
                return job.verdict or HANDED_BACK
            job.renew()
            child = self._child()
            self._hand(job, child)
            ending = job.wait()
            if job.began is not None or child.fault:
                return ending
        return job.verdict or ending

    def _hand(self, job: ChildJob, child: ChildProcess) -> None:
        """Give the job to a child; waits until that is ready."""
        self._jobs[job] = child
        now = monotonic()
        job.due = now + STARTS_IN
        self._alarm.set(now + min(job.request.timeout, STARTS_IN))
        if not self._watching:
            self._watching = True
            eventlet.spawn_n(self._watch)
        child.run(job, self._memory(job))

    def _ended(self, child: ChildProcess, finish: Callable[[Ending], None], job: ChildJob, ending: Ending) -> None:
        """Tell how a job ended that has no greenthread; it gets one if its child died before it began."""
        if job.began is None and not child.fault and not job.verdict:
            self._run_apart(job, finish)
        else:
            self._let_go(job)
            finish(ending)

    def _let_go(self, job: ChildJob) -> None:
        """Free the job's slot."""
        del self._jobs[job]
        self._taken -= 1
        if job.began is not None:  # one that was given back leaves no slot that another could have
            self._turnover.count()
        self._tell()

    def _at_hand(self) -> ChildProcess | None:
        """Give a child that takes one job more at once, if there is one."""
        if not self._many or self._stopping:
            return None
        return next((child for child in self._children if child.usable and child.ready.ready()), None)

    def _child(self) -> ChildProcess:
        """Give a child that takes a job."""
        with self._choosing:  # starting one lets others run: of many jobs that come at once each would start its own
            for child in self._children:
                if child.usable and (self._many or not child.jobs):
                    return child
            if self._folders is None:
                self._folders = WorkFolders()
                eventlet.spawn_n(self._folders.sweep)
            child = ChildProcess(self._plan, self._folders.make(), self._children.discard)
            self._children.add(child)
            return child

    def _memory(self, job: ChildJob) -> int:
        return job.request.memory or self._default_memory

    def _end(self, job: ChildJob, verdict: Ending) -> None:
        """Have a job end with this verdict, unless another was spoken before."""
        job.verdict = job.verdict or verdict
        child = self._jobs.get(job)
        if child is None:  # it waits for a slot
            self._tell()
        elif job.ending is not None:  # and its child may have another one by now
            return
        elif self._many:
            eventlet.spawn_n(self._end_gently, child, job)
        else:
            child.kill()

    @staticmethod
    def _end_gently(child: ChildProcess, job: ChildJob) -> None:
        """Ask for the end of one job among many; where that is not heard, end them all."""
        with eventlet.Timeout(GRACE, False):  # noqa: FBT003 -- as it is spelled there
            child.cancel(job)
            job.wait()
        if job.ending is None:
            child.kill()

    def _watch(self) -> None:
        """Look after the time and the memory that jobs take, while there are any."""
        look_at = monotonic() + WATCH_SECONDS
        while self._jobs:
            self._alarm.wait(look_at)
            try:
                self._watch_time()
                if monotonic() >= look_at:
                    look_at = monotonic() + WATCH_SECONDS
                    for child in list(self._children):
                        self._watch_memory(child)
            except Exception:  # all timeouts depend on this loop
                log.exception("The watch over jobs met a fault", extra={"action": "children_fault"})
        self._watching = False

    def _watch_time(self) -> None:
        """End the jobs that took too long, and be woken when the next one will have."""
        now = monotonic()
        for job in [job for job in self._jobs if job.due <= now]:
            job.due = inf
            if job.began is None:
                self._end(job, failed(ChildDied(f"its process was not ready within {STARTS_IN:g} s")))
            else:
                fault = TimedOut(f"took longer than its timeout of {job.request.timeout:g} s")
                self._end(job, failed(fault, _retry_on(job)))
        for job in self._jobs:
            # one that waits may begin at any time
            self._alarm.set(job.due if job.began is not None else min(job.due, now + job.request.timeout))

    def _watch_memory(self, child: ChildProcess) -> None:
        """End a child beyond its limit: where many share a process, the largest limit of them binds all together."""
        jobs = [job for job in child.jobs.values() if job.began is not None]
        if not jobs or child.memory() <= (limit := max(map(self._memory, jobs))):
            return
        together = " together with the jobs that ran beside it" if len(jobs) > 1 else ""
        for job in jobs:
            fault = MemoryExceeded(f"used more than its memory limit of {attempt.megabytes(limit)}{together}")
            job.verdict = job.verdict or failed(fault, _retry_on(job))
        child.kill()

    def _wait_for_news(self, timeout: float | None = None) -> None:
        """Wait until a slot may be free, or a job has ended; `timeout` seconds at most."""
        if self._changed is None:
            self._changed = Event()
        self._changed.wait(timeout)

    def _tell(self) -> None:
        """Wake who waits for a slot, or for an end."""
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.send()


def _retry_on(job: ChildJob) -> tuple[type[BaseException], ...]:
    operation = REGISTRY.get(job.request.operation)
    return operation.retry_on if operation else ()
