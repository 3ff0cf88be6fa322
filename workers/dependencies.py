"""What the services are given: the outside world as nameko dependencies, each around a plain object.

Stands beside steps 3 to 6 of a job's life: `WorkerStore` claims and commits, `Crew` performs, `Announcer` announces.
"""

import json
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import eventlet
from nameko.extensions import DependencyProvider, Extension
from pydantic import ValidationError
from uuid_utils import uuid7

from errand.backoff import pauses
from errand.broker.messages import doorbell, job_finished
from errand.broker.publisher import Publisher
from errand.errors import BrokerUnavailable, CallFailed, JobRefused, StoreUnavailable
from errand.settings import Settings
from errand.store import Commit, DueNotification, Lease, NewJob, Outcome, Renewal, Store
from errand.topology import WEBHOOKS
from errand.trust.recipients import is_allowed, not_allowed_message
from schemas.notices import NoticeState
from schemas.requests import ComputeRequest
from schemas.status import FINAL, Status

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

CALL_SECONDS, LOOK_SECONDS = 60.0, 0.05
"""How long a call by RPC waits for a job that another worker has, and how often it looks."""
AWAY_SECONDS = 1.0
"""Pause before the next announcement after one failed."""
PAUSES = (0.1, 0.2, 0.5, 1.0)
"""Seconds between tries to commit while the store is away; the last one is repeated."""


class WorkerStore:
    """The store as a worker uses it: with the settings' times, and patience where an outcome is at stake."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Wrap `store`."""
        self.store, self.settings = store, settings
        self.worker = worker_name()

    def claim(self, queue: str, most: int) -> list[Lease]:
        """Take the leases of up to `most` jobs that wait in `queue`, the best first; raise StoreUnavailable."""
        times = self.settings.lease_seconds, self.settings.result_ttl
        return self.store.claim(queue, most, self.worker, *times) if most else []

    def claim_call(self, job: NewJob) -> list[Lease]:
        """Take the lease of a job that was just accepted, unless another worker has it; raise StoreUnavailable."""
        return self.store.claim_these([job.id], self.worker, self.settings.lease_seconds, self.settings.result_ttl)

    def ending_of(self, job: NewJob) -> tuple[Status, str]:
        """Wait until the job has ended, here or elsewhere; give its final status and its result or error as JSON.

        Raises StoreUnavailable, and CallFailed when that takes too long for somebody who waits.
        """
        for _ in range(int(CALL_SECONDS / LOOK_SECONDS)):
            record = self.store.get(job.id)
            if record is None:
                break
            if record.status in FINAL:
                return record.status, (record.result if record.status is Status.SUCCEEDED else record.error) or "null"
            eventlet.sleep(LOOK_SECONDS)
        raise CallFailed(f"The job {job.id} goes on; its result will be in the store.")

    def renew(self, leases: Sequence[Lease], progress: Mapping[str, str], lines: Sequence[tuple[str, str]]) -> Renewal:
        """Renew the leases, with what their jobs have to say; raise StoreUnavailable."""
        return self.store.renew(leases, self.settings.lease_seconds, progress, lines)

    def accept_call(self, operation: str, value: Any, other: Any, email: Any) -> NewJob:
        """Accept a call as the API accepts `POST /compute`; raise JobRefused, StoreUnavailable."""
        try:
            call = ComputeRequest.model_validate(
                {"operation": operation, "value": value, "other": other, "email": email}
            )
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise JobRefused(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        emails = call.email or ()
        if any(not is_allowed(each, self.settings.allowed_domains) for each in emails):
            raise JobRefused(f"email: {not_allowed_message(self.settings.allowed_domains)}")
        arguments = json.dumps({"value": call.value, "other": call.other}, separators=(",", ":"))
        job = NewJob(str(uuid7()), call.operation, arguments, emails, max_attempts=self.settings.max_attempts)
        self.store.accept([job], quiet=True)  # it is for this worker
        return job

    def commit(self, outcomes: Sequence[Outcome]) -> list[Commit]:
        """Store the outcomes; while the store is away, wait for it: the fence refuses what came too late."""
        if not outcomes:
            return []
        times = self.settings.result_ttl, self.worker, self.settings.lease_seconds
        commits = _patiently(lambda: self.store.commit(outcomes, *times))
        for outcome, commit in zip(outcomes, commits, strict=True):
            if not commit.stored and not outcome.lease.is_offer:
                log.warning("Lease lost, outcome refused", extra={"action": "stale", "job_id": outcome.lease.id})
        return commits

    def settle(self, notice: DueNotification, state: NoticeState, error: str = "", retry_after: float = 0.0) -> bool:
        """Write down how an attempt to notify ended; while the store is away, wait for it, lest it be sent again."""
        return _patiently(lambda: self.store.settle(notice, state, error, retry_after))


def _patiently(ask: Callable[[], Answer]) -> Answer:
    """Ask until the store answers."""
    for pause in pauses(PAUSES):
        try:
            return ask()
        except StoreUnavailable as fault:
            log.warning("An outcome waits: %s", fault, extra={"action": "commit_waits"})
            eventlet.sleep(pause)
    raise AssertionError("the pauses never end")


class Announcer:
    """Tells the other services that jobs have ended, from a greenthread of its own: nobody's commit waits for it."""

    def __init__(self, amqp_uri: str) -> None:
        """Announce on the broker at `amqp_uri`."""
        self._publisher = Publisher(amqp_uri)
        self._news = eventlet.Queue()
        self._loop = eventlet.spawn(self._run)

    def announce(self, outcomes: Sequence[Outcome], commits: Sequence[Commit]) -> None:
        """Announce each outcome that was stored and that somebody is to be told of."""
        for outcome, commit in zip(outcomes, commits, strict=True):
            if commit.to_tell and commit.status:
                self._news.put(job_finished(outcome.lease.id, commit.status.value))
            if WEBHOOKS in commit.to_tell:
                # rung by itself, so that a job with only an e-mail address costs webhooks nothing
                self._news.put(doorbell(WEBHOOKS, outcome.lease.id))

    def close(self) -> None:
        """Stop; what was not announced is in the store's outbox, where the mail service looks by itself."""
        self._loop.kill()
        self._publisher.close()

    def _run(self) -> None:
        while True:
            batch = [self._news.get()]
            while not self._news.empty() and len(batch) < 500:
                batch.append(self._news.get())
            try:
                self._publisher.publish(batch)
            except BrokerUnavailable as fault:
                # those who would hear it look by themselves, so it is old in a second, and must not pile up here
                self._news.queue.clear()
                log.warning("Not announced: %s", fault, extra={"action": "announce_failed"})
                eventlet.sleep(AWAY_SECONDS)
            except Exception:
                log.exception("The herald met a fault it does not know", extra={"action": "announce_fault"})


class StoreProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects a WorkerStore, shared by all workers of the container."""

    def setup(self) -> None:
        """Make the store; no connection is opened before its first use."""
        settings = settings_of(self)
        self._store = WorkerStore(Store.connect(settings), settings)

    def get_dependency(self, worker_ctx: Any) -> WorkerStore:
        """Give the store."""
        return self._store


class AnnouncerProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects a Announcer, shared by all workers of the container."""

    def setup(self) -> None:
        """Start the herald; it connects when there is news."""
        self._herald = Announcer(settings_of(self).amqp_uri)

    def stop(self) -> None:
        """Stop the herald."""
        self._herald.close()

    kill = stop

    def get_dependency(self, worker_ctx: Any) -> Announcer:
        """Give the herald."""
        return self._herald


def settings_of(extension: Extension) -> Settings:
    """Give the settings the container was made with (`workers/runner.py`), or those of the environment."""
    settings: Settings = extension.container.config.get("SETTINGS") or Settings.load()
    return settings


def worker_name() -> str:
    """Give the name of this process, of its machine and its number there: one of a kind while it lives."""
    return f"{socket.gethostname()}:{os.getpid()}"
