"""The books: what clients were told, beside events, mails and webhooks, settled while the soak goes on.

Stands beside the whole life of a job. A job whose story is complete is closed and forgotten but for its id, so that the
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
"""Seconds a story stays open after it is complete: what comes twice comes soon."""
MOST = 200
"""Cases that are kept of what should not be."""
NOTE_OF = {"succeeded": "result", "failed": "failure", "cancelled": "cancelled"}


@dataclass(slots=True)
class Story:
    """One job: what its client was told, and what was seen of it."""

    since: float
    told: bool = False
    ends: tuple[str, ...] = ()
    """How it may end."""
    times: int = 1
    """How often it ends: once, and again for each time it is run again."""
    mailed: bool = False
    hooked: bool = False
    finals: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    """What its owner was told: kinds of mails, and of webhooks."""
    moved: float = 0.0

    @property
    def wanted(self) -> list[str]:
        """What its owner is to be told."""
        ends = [NOTE_OF[status] for status in self.finals]
        return sorted(["receipt", *ends] * self.mailed + [f"webhook {end}" for end in ends] * self.hooked)

    @property
    def complete(self) -> bool:
        """Tell whether everything that was to come has."""
        return self.told and len(self.finals) >= self.times and sorted(self.news) == self.wanted


@dataclass
class Count:
    """What there has been so far."""

    accepted: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    webhooks: int = 0
    scheduled: int = 0
    """Jobs that schedules started."""


class Books:
    """All stories that are open; clients, the reader of events and the mail server write, each from its own threads."""

    def __init__(self, is_scheduled: Callable[[str], bool]) -> None:
        """Ask `is_scheduled` of a job that no client was told of."""
        self.count = Count()
        self.wrong: list[str] = []
        self.faults = 0
        """How many things were wrong, those included of which no line was kept."""
        self._is_scheduled = is_scheduled
        self._open: dict[str, Story] = {}
        self._closed: set[bytes] = set()
        self._lock = threading.Lock()

    def accept(
        self, job_id: str, ends: tuple[str, ...], *, mailed: bool = False, hooked: bool = False, delay: float = 0.0
    ) -> None:
        """Note what a client was told: this job is accepted, and how it may end."""
        with self._lock:
            story = self._story(job_id)
            if story is None or story.told:
                self._amiss(f"{job_id}: told twice")
                return
            story.told, story.ends, story.mailed, story.hooked = True, ends, mailed, hooked
            story.since = time.monotonic() + delay
            self.count.accepted += 1

    def run_again(self, job_id: str) -> None:
        """Note that a client is about to have a job run again that has ended."""
        with self._lock:
            story = self._story(job_id)
            if story is not None:
                story.times, story.since = story.times + 1, time.monotonic()

    def see(self, event: Event) -> None:
        """Take an event of the store's stream."""
        if event.kind != "status":
            return
        status = json.loads(event.data)["status"]
        with self._lock:
            story = self._story(event.id)
            if story is None:
                self._amiss(f"{event.id}: {status} after its story was closed")
                return
            story.moved = time.monotonic()
            if status in FINAL:
                story.finals.append(status)
                self.count.ended[status] += 1

    def deliver(self, message_id: str) -> None:
        """Take a mail: `<id.kind@domain>`."""
        job_id, _, kind = message_id.strip("<>").partition("@")[0].rpartition(".")
        with self._lock:
            self.count.mails += 1
            self._hear(job_id, kind)

    def call(self, delivery: ReceivedWebhook) -> None:
        """Take a webhook."""
        job_id, _, name = delivery.event_id.rpartition("-")
        with self._lock:
            self.count.webhooks += 1
            self._hear(job_id, f"webhook {name}")
            if delivery.fault:
                self._amiss(f"{job_id}: webhook {name}: {delivery.fault}")

    def complain(self, what: str) -> None:
        """Note something that a healthy service would not do."""
        with self._lock:
            self._amiss(what)

    def close(self) -> int:
        """Close what is complete, complain of what should be and is not; give how many stories stay open."""
        with self._lock:
            now = time.monotonic()
            for job_id, story in list(self._open.items()):
                if now - max(story.moved, story.since) < KEPT:
                    continue
                if story.complete or self._belongs_to_a_schedule(job_id, story):
                    self._judge(job_id, story)
                elif now - story.since > ENDS_IN:
                    self._amiss(f"{job_id}: still open after {now - story.since:.0f} s: {story}")
                else:
                    continue
                del self._open[job_id]
                self._closed.add(job_id.encode())
            return len(self._open)

    def open(self) -> dict[str, Story]:
        """Give the stories that are not complete."""
        with self._lock:
            return {job_id: story for job_id, story in self._open.items() if not story.complete}

    def _belongs_to_a_schedule(self, job_id: str, story: Story) -> bool:
        if story.told or not story.finals or not self._is_scheduled(job_id):
            return False
        self.count.scheduled += 1
        story.ends = ("succeeded",)
        return True

    def _judge(self, job_id: str, story: Story) -> None:
        if len(story.finals) != story.times or not set(story.finals) <= set(story.ends):
            self._amiss(f"{job_id}: ended {story.finals} instead of {' or '.join(story.ends)}")

    def _hear(self, job_id: str, news: str) -> None:
        story = self._story(job_id)
        if story is None:
            self._amiss(f"{job_id}: {news} after its story was closed")
            return
        story.moved = time.monotonic()
        story.news.append(news)

    def _story(self, job_id: str) -> Story | None:
        if job_id.encode() in self._closed:
            return None
        return self._open.setdefault(job_id, Story(time.monotonic()))

    def _amiss(self, what: str) -> None:
        self.faults += 1
        if len(self.wrong) < MOST:
            self.wrong.append(f"{time.strftime('%H:%M:%S')} {what}")
            sys.stdout.write(f"wrong: {self.wrong[-1]}\n")
