"""A job in the store: accept it, claim it, renew its lease, commit its outcome, look at it.

Stands behind steps 1, 3 and 5 of a job's life; each is one round trip, and a batch costs no more than one job.
Next: `control.py` for what its client changes, `rescue.py` for the jobs that got stuck.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from errand.record import JobRecord
from errand.store.base import StorePart, fields_of
from schemas.notifications import Occasion
from schemas.operations import COMPUTE
from schemas.priority import Priority
from schemas.status import FINAL, Status

VerdictKind = Literal["new", "replayed", "conflict"]


@dataclass(frozen=True, slots=True)
class NewJob:
    """What a client asked for, checked. `arguments` is JSON text, kept as it is; times are in ms, `timeout` in s.

    `emails` are plain addresses, each once; `notify` names what they and the webhook are told of (none: of all).
    `key` is its Idempotency-Key, under which `fingerprint` tells whether the same was asked before. `origin` is the
    job of which it is a replay.
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

    @property
    def has_receipt(self) -> bool:
        """Tell whether somebody is to be mailed that it was accepted."""
        return bool(self.emails) and (not self.notify or "accepted" in self.notify)


@dataclass(frozen=True, slots=True)
class AcceptResult:
    """What became of a NewJob: stored, there already under its key, or refused as that key is another job's."""

    id: str
    kind: VerdictKind


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one attempt of a job, until it expires. A commit with an older `fence` is refused.

    `timeout` in s where the client chose one; `retries` counts how often the job was run again by hand. Without a
    fence it is a mere offer: the job waits until an outcome is committed, or somebody claims it.
    """

    id: str
    fence: str
    attempt: int
    operation: str
    arguments: str
    timeout: float | None = None
    max_attempts: int = 1
    retries: int = 0

    @property
    def is_offer(self) -> bool:
        """Tell whether nobody has claimed the job yet."""
        return not self.fence


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `payload` is JSON text: the result, or {"type", "message"} of the error.

    RETRYING: again in `retry_ms`, unless it was the last attempt. ACCEPTED: handed back, as if it had not begun.
    """

    lease: Lease
    status: Status
    payload: str
    retry_ms: int = 0


@dataclass(frozen=True, slots=True)
class Commit:
    """What became of an outcome: refused as stale (no status), or stored; `to_tell`: services with somebody to tell."""

    status: Status | None
    to_tell: tuple[str, ...]

    @property
    def stored(self) -> bool:
        """Tell whether the outcome was stored."""
        return self.status is not None

    @property
    def final(self) -> bool:
        """Tell whether the job has ended by it."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a worker learns when it renews: whose lease is lost, and who is to be cancelled."""

    lost: frozenset[str]
    cancel: frozenset[str]


class JobsPart(StorePart):
    """The job's side of the store."""

    def accept(self, jobs: Sequence[NewJob], quiet: bool = False) -> list[AcceptResult]:
        """Store the jobs, all or nothing; a verdict for each, in their order. Raises StoreUnavailable.

        Asked twice for one id it changes nothing. One conflict, and nothing of the call is stored. `quiet`: no worker
        is woken.
        """
        return _verdicts(jobs, self._run("accept", self._mail, "quiet" if quiet else "", *_flat(jobs)))

    def begin_accept(self, jobs: Sequence[NewJob]) -> Callable[[], list[AcceptResult]]:
        """Ask for the same, and give what waits for the answer: to be called once, and in any case.

        Either may raise what redis-py raises: whoever calls asks again, by `accept`.
        """
        answer = self._begin("accept", self._mail, "", *_flat(jobs))
        return lambda: _verdicts(jobs, answer())

    def claim(self, queue: str, most: int, worker: str, lease_seconds: float, result_ttl: int) -> list[Lease]:
        """Take the leases of up to `most` jobs that wait in `queue`, the best first."""
        return self._claim(worker, lease_seconds, result_ttl, queue, most)

    def claim_these(self, ids: Sequence[str], worker: str, lease_seconds: float, result_ttl: int) -> list[Lease]:
        """Take the leases of those of `ids` that wait."""
        return self._claim(worker, lease_seconds, result_ttl, "", len(ids), *ids)

    def _claim(
        self, worker: str, lease_seconds: float, result_ttl: int, queue: str, most: int, *ids: str
    ) -> list[Lease]:
        rows = self._run("claim", int(lease_seconds * 1000), worker, result_ttl * 1000, queue, most, *ids)
        return [
            Lease(
                id_, fence, int(attempt), operation, args, float(timeout) if timeout else None, int(most_), int(again)
            )
            for id_, fence, attempt, operation, args, timeout, most_, again in rows
        ]

    def renew(
        self,
        leases: Sequence[Lease],
        lease_seconds: float,
        progress: Mapping[str, str] | None = None,
        lines: Sequence[tuple[str, str]] = (),
    ) -> Renewal:
        """Renew the leases; write down `progress` (JSON text by id) and log `lines` (id, text)."""
        said = progress or {}
        flat = [text for lease in leases for text in (lease.id, lease.fence, said.get(lease.id, ""))]
        flat += [text for line in lines for text in line]
        lost, cancel = self._run("renew", int(lease_seconds * 1000), len(leases), *flat)
        return Renewal(frozenset(lost), frozenset(cancel))

    def commit(
        self, outcomes: Sequence[Outcome], result_ttl: int, worker: str = "", lease_seconds: float = 0.0
    ) -> list[Commit]:
        """Store the outcomes with their status and notification, each unless its fence is stale; in their order.

        One of a job that was only offered to `worker` is stored if that job still waits: it is claimed with it.
        """
        flat: list[str | int] = []
        for o in outcomes:
            flat += (o.lease.id, o.lease.fence, o.status.value, o.payload, o.retry_ms)
        answers = self._run("commit", result_ttl * 1000, worker, int(lease_seconds * 1000), *flat)
        return [_commit(answer) for answer in answers]

    def get(self, job_id: str) -> JobRecord | None:
        """Return the job's record, or None.

        It has its `position` while it waits in its queue, and `wait_ms` while it has not ended, if its operation has
        been run before.
        """
        answer = self._run("get_job", job_id)
        if not answer:
            return None
        fields, position, wait_ms = answer
        return JobRecord.read(job_id, fields_of(fields), *(None if each < 0 else each for each in (position, wait_ms)))

    def log(self, job_id: str) -> list[str]:
        """Give the last lines of the job's log."""
        return list(self._run("get_log", job_id))


def _flat(jobs: Sequence[NewJob]) -> list[str]:
    return [text for job in jobs for text in arguments_of(job)]


def _verdicts(jobs: Sequence[NewJob], answers: Sequence[str]) -> list[AcceptResult]:
    return [_verdict(job, answer) for job, answer in zip(jobs, answers, strict=True)]


def arguments_of(job: NewJob) -> list[str]:
    """Write a job as accept.lua reads it."""
    fields = ["arguments", job.arguments, "max_attempts", str(job.max_attempts)]
    if job.timeout is not None:
        fields += ["timeout", str(job.timeout)]
    if job.webhook_url:
        fields += ["webhook_url", job.webhook_url]
    if job.origin:
        fields += ["origin", job.origin]
    if job.notify:
        fields += ["notify", " ".join(job.notify)]
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
    return AcceptResult(job.id, "conflict") if answer == "!" else AcceptResult(answer, "replayed")


def _commit(answer: str) -> Commit:
    *to_tell, status = answer.split(" ")
    return Commit(Status(status) if status else None, tuple(to_tell))
