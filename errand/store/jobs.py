"""Accepts jobs, claims them, renews their leases, commits their outcomes, and reads them.

A job comes from `api/dispatch/group_commit.py`. Each step is one round trip, and a batch costs no more than one job.
Next: `scripts/accept.lua`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from errand.record import JobRecord
from errand.store.attempts import shortened
from errand.store.redis_access.store_part import StorePart, fields_of
from schemas.notifications import Occasion
from schemas.operations import COMPUTE
from schemas.priority import Priority
from schemas.status import FINAL, Status

VerdictKind = Literal["new", "replayed", "conflict", "handled"]

_REFUSALS: Final[dict[str, VerdictKind]] = {"!": "conflict", "-": "handled"}
"""What a job is not stored for, by the answer of the script."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A checked request for a job. `arguments` is JSON text, kept as it is; times are in ms, `timeout` in s.

    `emails` are plain addresses, each once; `notify` names the occasions of its notifications (none: all). `key` is its
    Idempotency-Key; a second request with this key is the same if its `fingerprint` is. `origin` is the job of which it
    is a replay. `timezone` is the zone of the times in its mails; None stands for UTC.
    """

    id: str
    operation: str
    arguments: str
    emails: tuple[str, ...] = ()
    queue: str = COMPUTE
    max_attempts: int = 3
    priority: Priority = "normal"
    delay_ms: int = 0
    run_at_ms: int | None = None
    deadline_ms: int | None = None
    deadline_in_ms: int | None = None
    timeout: float | None = None
    tags: tuple[str, ...] = ()
    key: str | None = None
    fingerprint: str | None = None
    webhook_url: str | None = None
    origin: str | None = None
    notify: tuple[Occasion, ...] = ()
    timezone: str | None = None

    @property
    def has_receipt(self) -> bool:
        """Return whether a receipt is mailed when the job is accepted."""
        return bool(self.emails) and (not self.notify or "accepted" in self.notify)


@dataclass(frozen=True, slots=True)
class AcceptResult:
    """What became of a NewJob: stored, found under its key, refused because the key is another job's, or passed over.

    A replay is passed over (`handled`) if its origin has been replayed, or runs again.
    """

    id: str
    kind: VerdictKind


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one attempt of a job, until it expires. A commit with an older `fence` is refused.

    `timeout` (s) is set if the client chose one; `retries` counts how often a client had the job run again, and
    `attempts_before` the attempts that were made before it last did. Without a fence it is an offer only: the job waits
    until an outcome is committed, or another worker claims it.
    """

    id: str
    fence: str
    attempt: int
    operation: str
    arguments: str
    timeout: float | None = None
    max_attempts: int = 1
    retries: int = 0
    attempts_before: int = 0

    @property
    def attempt_of_run(self) -> int:
        """Return the number of the attempt since a client last had the job run again, from 1."""
        return self.attempt - self.attempts_before if self.attempt > self.attempts_before else self.attempt

    @property
    def is_offer(self) -> bool:
        """Return whether the job is only offered, and not claimed yet."""
        return not self.fence


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `payload` is JSON text: the result, or {"type", "message"} of the error.

    RETRYING: run again in `retry_ms`, unless this was the last attempt. ACCEPTED: handed back, as if it had not begun.
    `seconds`: how long it took, for log and metrics; 0: not measured. `traceback` is for operators only: where the
    operation failed, "" if it didn't, at most 16 KB. `place` names the line of it that a log names: `report.py:12 in
    total`.
    """

    lease: Lease
    status: Status
    payload: str
    retry_ms: int = 0
    seconds: float = 0.0
    traceback: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """Result of a commit: refused as stale (no status), or stored. `to_tell`: services with something to send."""

    status: Status | None
    to_tell: tuple[str, ...]

    @property
    def stored(self) -> bool:
        """Return whether the outcome was stored."""
        return self.status is not None

    @property
    def final(self) -> bool:
        """Return whether the job has ended."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a worker learns when it renews: the jobs whose lease is lost, and the jobs to cancel."""

    lost: frozenset[str]
    cancel: frozenset[str]


class JobsPart(StorePart):
    """The part of the store that has jobs."""

    def accept(self, jobs: Sequence[NewJob], quiet: bool = False) -> list[AcceptResult]:
        """Store the jobs, all or nothing; return a result for each, in their order. Raises StoreUnavailable.

        A second call with one id changes nothing. If any key conflicts, all of the jobs are refused. `quiet`: wake no
        worker.
        """
        how = ("quiet" if quiet else "", "together")
        return _verdicts(jobs, self._run("accept", self._mail, *how, *_flat(jobs)))

    def accept_replays(self, jobs: Sequence[NewJob]) -> list[AcceptResult]:
        """Do the same with replays of many jobs; none is made of a job that has been replayed, or that runs again."""
        return _verdicts(jobs, self._run("accept", self._mail, "", "unhandled", *_flat(jobs)))

    def accept_each(self, jobs: Sequence[NewJob]) -> list[AcceptResult]:
        """Store jobs of different clients in one step: only a job whose own key conflicts is refused."""
        return _verdicts(jobs, self._run("accept", self._mail, "", "each", *_flat(jobs)))

    def begin_accept_each(self, jobs: Sequence[NewJob]) -> Callable[[], list[AcceptResult]]:
        """Begin the same; return a function that waits for the answer. It must be called exactly once.

        Both may raise errors of redis-py: the caller then tries again with `accept_each`.
        """
        answer = self._begin("accept", self._mail, "", "each", *_flat(jobs))
        return lambda: _verdicts(jobs, answer())

    def claim(self, queue: str, most: int, worker: str, lease_seconds: float) -> list[Lease]:
        """Claim up to `most` jobs that wait in `queue`, the highest priority first."""
        return self._claim(worker, lease_seconds, queue, most)

    def claim_these(self, ids: Sequence[str], worker: str, lease_seconds: float) -> list[Lease]:
        """Claim those of `ids` that wait."""
        return self._claim(worker, lease_seconds, "", len(ids), *ids)

    def _claim(self, worker: str, lease_seconds: float, queue: str, most: int, *ids: str) -> list[Lease]:
        rows = self._run("claim", int(lease_seconds * 1000), worker, self._kept_ms.cancelled, queue, most, *ids)
        return [
            Lease(id_, fence, int(attempt), operation, args, float(timeout) if timeout else None, *map(int, counts))
            for id_, fence, attempt, operation, args, timeout, *counts in rows
        ]

    def renew(
        self,
        leases: Sequence[Lease],
        lease_seconds: float,
        progress: Mapping[str, str] | None = None,
        lines: Sequence[tuple[str, str]] = (),
    ) -> Renewal:
        """Renew the leases; store `progress` (JSON text by id) and log `lines` (id, text)."""
        said = progress or {}
        flat = [text for lease in leases for text in (lease.id, lease.fence, said.get(lease.id, ""))]
        flat += [text for line in lines for text in line]
        lost, cancel = self._run("renew", int(lease_seconds * 1000), len(leases), *flat)
        return Renewal(frozenset(lost), frozenset(cancel))

    def commit(self, outcomes: Sequence[Outcome], worker: str = "", lease_seconds: float = 0.0) -> list[Commit]:
        """Store each outcome with its status and notifications unless its fence is stale; results in their order.

        The outcome of a job that was only offered to `worker` is stored if the job still waits: it also claims the job.
        """
        flat: list[str | int] = []
        for o in outcomes:
            took = int(o.seconds * 1_000_000)
            flat += (o.lease.id, o.lease.fence, o.status.value, o.payload, o.retry_ms, shortened(o.traceback), took)
        kept = (self._kept_ms.succeeded, self._kept_ms.failed, self._kept_ms.cancelled)
        answers = self._run("commit", *kept, worker, int(lease_seconds * 1000), *flat)
        return [_commit(answer) for answer in answers]

    def get(self, job_id: str) -> JobRecord | None:
        """Return the job's record, or None.

        `position` is set while the job waits in its queue; `wait_ms` until it has ended, if a job of its operation has
        ended before.
        """
        answer = self._run("get_job", job_id)
        if not answer:
            return None
        fields, position, wait_ms = answer
        return JobRecord.read(job_id, fields_of(fields), *(None if each < 0 else each for each in (position, wait_ms)))

    def log(self, job_id: str) -> list[str]:
        """Return the last lines of the job's log."""
        return list(self._run("get_log", job_id))


def _flat(jobs: Sequence[NewJob]) -> list[str]:
    return [text for job in jobs for text in arguments_of(job)]


def _verdicts(jobs: Sequence[NewJob], answers: Sequence[str]) -> list[AcceptResult]:
    return [_verdict(job, answer) for job, answer in zip(jobs, answers, strict=True)]


def arguments_of(job: NewJob) -> list[str]:
    """Write a job as `scripts/shared/read_job.lua` reads it."""
    fields = ["origin", job.origin] if job.origin else []
    fields += ["arguments", job.arguments, "max_attempts", str(job.max_attempts)]
    if job.timeout is not None:
        fields += ["timeout", str(job.timeout)]
    if job.webhook_url:
        fields += ["webhook_url", job.webhook_url]
    if job.notify:
        fields += ["notify", " ".join(job.notify)]
    if job.timezone:
        fields += ["timezone", job.timezone]
    due = f"+{job.delay_ms}" if job.delay_ms else "" if job.run_at_ms is None else str(job.run_at_ms)
    deadline = "" if job.deadline_ms is None else str(job.deadline_ms)
    if job.deadline_in_ms is not None:
        deadline = f"+{job.deadline_in_ms}"
    tags = json.dumps(job.tags) if job.tags else ""
    head = [job.id, job.key or "", job.fingerprint or "", job.queue, job.priority, due, deadline, job.operation, tags]
    return [*head, " ".join(job.emails), str(len(fields)), *fields]


def _verdict(job: NewJob, answer: str) -> AcceptResult:
    if not answer:
        return AcceptResult(job.id, "new")
    kind = _REFUSALS.get(answer)
    return AcceptResult(job.id, kind) if kind else AcceptResult(answer, "replayed")


def _commit(answer: str) -> Commit:
    *to_tell, status = answer.split(" ")
    return Commit(Status(status) if status else None, tuple(to_tell))
