"""The tracker: what clients were told, beside events, mails and webhooks, settled while the soak goes on.

Stands beside the whole life of a job. A job whose tracked is complete is closed and forgotten but for its id, so that the
soak itself does not grow. Next: `sampler.py`.
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
"""Seconds (a delay not counted) after which a job that has not ended counts as one that doesn't, a mail as missing."""
KEPT = 5.0
"""Seconds a tracked stays open after it is complete: what comes twice comes soon."""
MOST = 200
"""Cases that are kept of what should not be."""
NOTE_OF = {"succeeded": "result", "failed": "failure", "cancelled": "cancelled"}


@dataclass(slots=True)
class TrackedJob:
    """One job: what its client was told, and what was seen of it."""

    since: float
    told: bool = False
    ends: tuple[str, ...] = ()
    """How it may end."""
    times: int = 1
    """How often it ends: once, and again for each time it is run again."""
    mailed: bool = False
    has_webhook: bool = False
    finals: list[str] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    """What its owner was told: kinds of mails, and of webhooks."""
    moved: float = 0.0

    @property
    def wanted(self) -> list[str]:
        """What its owner is to be told."""
        ends = [NOTE_OF[status] for status in self.finals]
        return sorted(["receipt", *ends] * self.mailed + [f"webhook {end}" for end in ends] * self.has_webhook)

    @property
    def complete(self) -> bool:
        """Tell whether everything that was to come has."""
        return self.told and len(self.finals) >= self.times and sorted(self.notifications) == self.wanted


@dataclass
class JobCounts:
    """What there has been so far."""

    accepted: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    webhooks: int = 0
    scheduled: int = 0
    """Jobs that schedules started."""


class JobTracker:
    """All jobs that are open; clients, the reader of events and the mail server write, each from its own threads."""

    def __init__(self, is_scheduled: Callable[[str], bool]) -> None:
        """Ask `is_scheduled` of a job that no client was told of."""
        self.count = JobCounts()
        self.wrong: list[str] = []
        self.faults = 0
        """How many things were wrong, those included of which no line was kept."""
        self._is_scheduled = is_scheduled
        self._open: dict[str, TrackedJob] = {}
        self._closed: set[bytes] = set()
        self._lock = threading.Lock()

    def accept(
        self, job_id: str, ends: tuple[str, ...], *, mailed: bool = False, has_webhook: bool = False, delay: float = 0.0
    ) -> None:
        """Note what a client was told: this job is accepted, and how it may end."""
        with self._lock:
            tracked = self._tracked(job_id)
            if tracked is None or tracked.told:
                self._record_fault(f"{job_id}: told twice")
                return
            tracked.told, tracked.ends, tracked.mailed, tracked.has_webhook = True, ends, mailed, has_webhook
            tracked.since = time.monotonic() + delay
            self.count.accepted += 1

    def run_again(self, job_id: str) -> None:
        """Note that a client is about to have a job run again that has ended."""
        with self._lock:
            tracked = self._tracked(job_id)
            if tracked is not None:
                tracked.times, tracked.since = tracked.times + 1, time.monotonic()

    def record_event(self, event: Event) -> None:
        """Take an event of the store's stream."""
        if event.kind != "status":
            return
        status = json.loads(event.data)["status"]
        with self._lock:
            tracked = self._tracked(event.id)
            if tracked is None:
                self._record_fault(f"{event.id}: {status} after its tracked was closed")
                return
            tracked.moved = time.monotonic()
            if status in FINAL:
                tracked.finals.append(status)
                self.count.ended[status] += 1

    def record_mail(self, message_id: str) -> None:
        """Take a mail: `<id.kind@domain>`."""
        job_id, _, kind = message_id.strip("<>").partition("@")[0].rpartition(".")
        with self._lock:
            self.count.mails += 1
            self._record_notification(job_id, kind)

    def record_webhook(self, delivery: ReceivedWebhook) -> None:
        """Take a webhook."""
        job_id, _, name = delivery.event_id.rpartition("-")
        with self._lock:
            self.count.webhooks += 1
            self._record_notification(job_id, f"webhook {name}")
            if delivery.fault:
                self._record_fault(f"{job_id}: webhook {name}: {delivery.fault}")

    def record_fault(self, what: str) -> None:
        """Note something that a healthy service would not do."""
        with self._lock:
            self._record_fault(what)

    def close_finished(self) -> int:
        """Close what is complete, record_fault of what should be and is not; give how many jobs stay open."""
        with self._lock:
            now = time.monotonic()
            for job_id, tracked in list(self._open.items()):
                if now - max(tracked.moved, tracked.since) < KEPT:
                    continue
                if tracked.complete or self._belongs_to_a_schedule(job_id, tracked):
                    self._judge(job_id, tracked)
                elif now - tracked.since > ENDS_IN:
                    self._record_fault(f"{job_id}: still open after {now - tracked.since:.0f} s: {tracked}")
                else:
                    continue
                del self._open[job_id]
                self._closed.add(job_id.encode())
            return len(self._open)

    def unfinished(self) -> dict[str, TrackedJob]:
        """Give the jobs that are not complete."""
        with self._lock:
            return {job_id: tracked for job_id, tracked in self._open.items() if not tracked.complete}

    def _belongs_to_a_schedule(self, job_id: str, tracked: TrackedJob) -> bool:
        if tracked.told or not tracked.finals or not self._is_scheduled(job_id):
            return False
        self.count.scheduled += 1
        tracked.ends = ("succeeded",)
        return True

    def _judge(self, job_id: str, tracked: TrackedJob) -> None:
        if len(tracked.finals) != tracked.times or not set(tracked.finals) <= set(tracked.ends):
            self._record_fault(f"{job_id}: ended {tracked.finals} instead of {' or '.join(tracked.ends)}")

    def _record_notification(self, job_id: str, notifications: str) -> None:
        tracked = self._tracked(job_id)
        if tracked is None:
            self._record_fault(f"{job_id}: {notifications} after its tracked was closed")
            return
        tracked.moved = time.monotonic()
        tracked.notifications.append(notifications)

    def _tracked(self, job_id: str) -> TrackedJob | None:
        if job_id.encode() in self._closed:
            return None
        return self._open.setdefault(job_id, TrackedJob(time.monotonic()))

    def _record_fault(self, what: str) -> None:
        self.faults += 1
        if len(self.wrong) < MOST:
            self.wrong.append(f"{time.strftime('%H:%M:%S')} {what}")
            sys.stdout.write(f"wrong: {self.wrong[-1]}\n")
