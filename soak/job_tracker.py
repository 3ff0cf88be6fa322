"""Tracks each job during the test: what clients were told, and the events, mails and webhooks that follow.

A complete job is forgotten except for its id, so that the test itself does not grow.
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from chaos.receiver import ReceivedWebhook
from errand.store import Event
from schemas.status import FINAL

ENDS_IN = 300.0
"""Seconds, without its delay, after which a job that has not ended, or a missing mail, counts as a fault."""
KEPT = 5.0
"""Seconds for which a complete job is still tracked, to notice duplicates."""
MOST = 200
"""Faults whose text is kept."""
NOTE_OF = {"succeeded": "result", "failed": "failure", "cancelled": "cancelled"}


@dataclass(slots=True)
class TrackedJob:
    """One job: what its client was told, and what was observed of it."""

    since: float
    accepted: bool = False
    ends: tuple[str, ...] = ()
    """Statuses in which it may end."""
    times: int = 1
    """Number of times it ends: once, and once more for each manual retry."""
    mailed: bool = False
    has_webhook: bool = False
    finals: list[str] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    """Notifications that arrived: kinds of mails, and of webhooks."""
    moved: float = 0.0

    @property
    def wanted(self) -> list[str]:
        """The notifications that should arrive."""
        ends = [NOTE_OF[status] for status in self.finals]
        return sorted(["receipt", *ends] * self.mailed + [f"webhook {end}" for end in ends] * self.has_webhook)

    @property
    def complete(self) -> bool:
        """Return whether everything expected has arrived."""
        return self.accepted and len(self.finals) >= self.times and sorted(self.notifications) == self.wanted


@dataclass
class JobCounts:
    """Totals so far."""

    accepted: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    webhooks: int = 0
    scheduled: int = 0
    """Jobs started by schedules."""


class JobTracker:
    """All tracked jobs. Clients, the event reader and the mail server report to it from their own threads."""

    def __init__(self, is_scheduled: Callable[[str], bool]) -> None:
        """`is_scheduled` tells whether a schedule started a job of which no client was told."""
        self.count = JobCounts()
        self.wrong: list[str] = []
        self.faults = 0
        """Number of faults, including those whose text was not kept."""
        self._is_scheduled = is_scheduled
        self._open: dict[str, TrackedJob] = {}
        self._closed: set[bytes] = set()
        self._lock = threading.Lock()

    def accept(
        self, job_id: str, ends: tuple[str, ...], *, mailed: bool = False, has_webhook: bool = False, delay: float = 0.0
    ) -> None:
        """Record that a client was told that this job is accepted, and how it may end."""
        with self._lock:
            job = self._job(job_id)
            if job is None or job.accepted:
                self._record_fault(f"{job_id}: accepted twice")
                return
            job.accepted, job.ends, job.mailed, job.has_webhook = True, ends, mailed, has_webhook
            job.since = time.monotonic() + delay
            self.count.accepted += 1

    def run_again(self, job_id: str) -> None:
        """Record that a client is about to retry a job that has ended."""
        with self._lock:
            job = self._job(job_id)
            if job is not None:
                job.times, job.since = job.times + 1, time.monotonic()

    def record_event(self, event: Event) -> None:
        """Record an event of the store's stream."""
        if event.kind != "status":
            return
        status = json.loads(event.data)["status"]
        with self._lock:
            job = self._job(event.id)
            if job is None:
                self._record_fault(f"{event.id}: {status} after the job was complete")
                return
            job.moved = time.monotonic()
            if status in FINAL:
                job.finals.append(status)
                self.count.ended[status] += 1

    def record_mail(self, message_id: str) -> None:
        """Record a mail by its Message-ID, `<id.kind@domain>`."""
        job_id, _, kind = message_id.strip("<>").partition("@")[0].rpartition(".")
        with self._lock:
            self.count.mails += 1
            self._record_notification(job_id, kind)

    def record_webhook(self, delivery: ReceivedWebhook) -> None:
        """Record a webhook."""
        job_id, _, name = delivery.event_id.rpartition("-")
        with self._lock:
            self.count.webhooks += 1
            self._record_notification(job_id, f"webhook {name}")
            if delivery.fault:
                self._record_fault(f"{job_id}: webhook {name}: {delivery.fault}")

    def record_fault(self, what: str) -> None:
        """Record something that a healthy service would not do."""
        with self._lock:
            self._record_fault(what)

    def close_finished(self) -> int:
        """Forget complete jobs, record a fault for each overdue job, and return the number of jobs still tracked."""
        with self._lock:
            now = time.monotonic()
            for job_id, job in list(self._open.items()):
                if now - max(job.moved, job.since) < KEPT:
                    continue
                if job.complete or self._belongs_to_a_schedule(job_id, job):
                    self._judge(job_id, job)
                elif now - job.since > ENDS_IN:
                    self._record_fault(f"{job_id}: still open after {now - job.since:.0f} s: {job}")
                else:
                    continue
                del self._open[job_id]
                self._closed.add(job_id.encode())
            return len(self._open)

    def unfinished(self) -> dict[str, TrackedJob]:
        """Return the jobs that are not complete."""
        with self._lock:
            return {job_id: job for job_id, job in self._open.items() if not job.complete}

    def _belongs_to_a_schedule(self, job_id: str, job: TrackedJob) -> bool:
        if job.accepted or not job.finals or not self._is_scheduled(job_id):
            return False
        self.count.scheduled += 1
        job.ends = ("succeeded",)
        return True

    def _judge(self, job_id: str, job: TrackedJob) -> None:
        if len(job.finals) != job.times or not set(job.finals) <= set(job.ends):
            self._record_fault(f"{job_id}: ended {job.finals} instead of {' or '.join(job.ends)}")

    def _record_notification(self, job_id: str, kind: str) -> None:
        job = self._job(job_id)
        if job is None:
            self._record_fault(f"{job_id}: {kind} after the job was complete")
            return
        job.moved = time.monotonic()
        job.notifications.append(kind)

    def _job(self, job_id: str) -> TrackedJob | None:
        if job_id.encode() in self._closed:
            return None
        return self._open.setdefault(job_id, TrackedJob(time.monotonic()))

    def _record_fault(self, what: str) -> None:
        self.faults += 1
        if len(self.wrong) < MOST:
            self.wrong.append(f"{time.strftime('%H:%M:%S')} {what}")
            sys.stdout.write(f"wrong: {self.wrong[-1]}\n")
