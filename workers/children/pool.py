"""The warm pool of child processes in which a worker runs what isn't tiny.

Stands at step 4 of a job's life, inside the worker. Children start when they are first needed and stay; each job ends
in time, whatever happens to the child that runs it. Next: `process.py`.
"""

import logging
from collections.abc import Sequence
from time import monotonic

import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore

from schemas.operations import Weight
from workers.attempt import ChildDied, Ending, MemoryExceeded, TimedOut, error_text, failed, megabytes
from workers.children.folders import Folders
from workers.children.jobs import Job, Listener, Task
from workers.children.process import Child, Plan
from workers.operations.registry import REGISTRY

__all__ = ["Children", "Ending", "Listener", "Task"]

log = logging.getLogger(__name__)

STARTS_IN = 60.0
"""Seconds until a child must have taken its first job: it loads the operations before."""
GRACE = 0.5
"""Seconds that a cancelled operation has for its last words, where others run beside it."""
WATCH_SECONDS = 0.5
"""Between two looks at how much memory the children take."""
TRIES = 3
"""Children that may die before a job has reached one."""

CANCELLED = Ending("cancelled", error_text("Cancelled", "cancelled while it ran"))
HANDED_BACK = Ending("handed_back", error_text("HandedBack", "its worker stops"))


class Children:
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
        self._plan = Plan(Weight(weight), tuple(modules), max_result_bytes)
        self._many = self._plan.weight is Weight.IO
        self._children: set[Child] = set()
        self._choosing = Semaphore()
        self._folders: Folders | None = None
        self._jobs: dict[Job, Child | None] = {}
        self._taken = 0
        self._changed: Event | None = None
        self._stopping = self._watching = False

    @property
    def slots(self) -> int:
        """How many jobs run at a time."""
        return self._slots

    def free(self) -> int:
        """Give the number of jobs that could start at once."""
        return 0 if self._stopping else self._slots - self._taken

    def wait_free(self, least: int, timeout: float) -> bool:
        """Wait until `least` slots are free, `timeout` seconds at most; say whether they are."""
        deadline = monotonic() + timeout
        while self.free() < least:
            if (rest := deadline - monotonic()) <= 0:
                return False
            self._wait_for_news(rest)
        return True

    def hold(self) -> None:
        """Take a slot now for a task that will be run."""
        self._taken += 1

    def run(self, task: Task, listener: Listener, *, held: bool = False) -> Ending:
        """Run a task in a child and tell how it ended; waits for a slot first, unless one is held. Raises nothing."""
        job = Job(task, listener)
        self._jobs[job] = None
        try:
            if not held:
                while not job.verdict and not self._stopping and self._taken >= self._slots:
                    self._wait_for_news()
                self.hold()
            try:
                if self._stopping:
                    job.verdict = job.verdict or HANDED_BACK
                return job.verdict or self._run(job)
            finally:
                self._taken -= 1
        except Exception as fault:  # such as no memory, or no descriptor, for one process more
            log.exception("A job could not be run", extra={"action": "children_fault", "job_id": task.id})
            return failed(ChildDied(f"no process could be had for it: {fault}"))
        finally:
            del self._jobs[job]
            self._tell()

    def cancel(self, job_id: str) -> None:
        """End a job that runs, within a second; nothing when there is none of this id."""
        for job in [job for job in self._jobs if job.task.id == job_id]:
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

    def _run(self, job: Job) -> Ending:
        """Give the job to a child and wait for its end; to another child where the first died before it began."""
        if not self._watching:
            eventlet.spawn_n(self._watch)
        for _ in range(TRIES):
            job.renew()
            child = self._jobs[job] = self._child()
            starts_by = monotonic() + STARTS_IN
            if child.ready.ready():
                child.run(job, self._memory(job))
            else:
                with eventlet.Timeout(STARTS_IN, False):  # noqa: FBT003 -- as it is spelled there
                    child.run(job, self._memory(job))
            ending = self._ending_of(job, starts_by)
            if job.began is not None or child.fault:
                return ending
            if job.verdict:
                return job.verdict
        return ending

    def _ending_of(self, job: Job, starts_by: float) -> Ending:
        """Wait until the job has ended, by itself or because it took too long."""
        timeout = job.task.timeout
        while True:
            now = monotonic()
            due = min(starts_by, now + timeout) if job.began is None else job.began + timeout
            ending: Ending | None = job.ended.wait(due - now) if due > now else None
            if ending is not None or job.verdict:
                return ending or job.ended.wait()
            if job.began is None and monotonic() >= starts_by:
                self._end(job, failed(ChildDied(f"its process was not ready within {STARTS_IN:g} s")))
            elif job.began is not None and monotonic() >= job.began + timeout:
                fault = TimedOut(f"took longer than its timeout of {timeout:g} s")
                self._end(job, failed(fault, _retry_on(job)))

    def _child(self) -> Child:
        """Give a child that takes a job."""
        with self._choosing:  # starting one lets others run: of many jobs that come at once each would start its own
            for child in self._children:
                if child.usable and (self._many or not child.jobs):
                    return child
            if self._folders is None:
                self._folders = Folders()
                eventlet.spawn_n(self._folders.sweep)
            child = Child(self._plan, self._folders.make(), self._children.discard)
            self._children.add(child)
            return child

    def _memory(self, job: Job) -> int:
        return job.task.memory or self._default_memory

    def _end(self, job: Job, verdict: Ending) -> None:
        """Have a job end with this verdict, unless another was spoken before."""
        job.verdict = job.verdict or verdict
        child = self._jobs.get(job)
        if child is None:  # it waits for a slot
            self._tell()
        elif job.ended.ready():  # and its child may have another one by now
            return
        elif self._many:
            eventlet.spawn_n(self._end_gently, child, job)
        else:
            child.kill()

    @staticmethod
    def _end_gently(child: Child, job: Job) -> None:
        """Ask for the end of one job among many; where that is not heard, end them all."""
        with eventlet.Timeout(GRACE, False):  # noqa: FBT003 -- as it is spelled there
            child.cancel(job)
            job.ended.wait()
        if not job.ended.ready():
            child.kill()

    def _watch(self) -> None:
        """Look after the memory of the children while there are jobs."""
        self._watching = True
        while self._jobs:
            eventlet.sleep(WATCH_SECONDS)
            for child in list(self._children):
                self._watch_memory(child)
        self._watching = False

    def _watch_memory(self, child: Child) -> None:
        """End a child beyond its limit: where many share a process, the largest limit of them binds all together."""
        jobs = [job for job in child.jobs.values() if job.began is not None]
        if not jobs or child.memory() <= (limit := max(map(self._memory, jobs))):
            return
        together = " together with the jobs that ran beside it" if len(jobs) > 1 else ""
        for job in jobs:
            fault = MemoryExceeded(f"used more than its memory limit of {megabytes(limit)}{together}")
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


def _retry_on(job: Job) -> tuple[type[BaseException], ...]:
    operation = REGISTRY.get(job.task.operation)
    return operation.retry_on if operation else ()
