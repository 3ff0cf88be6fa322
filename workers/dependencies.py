"""The nameko dependencies that services share: each provider injects a plain object that talks to the outside.

`WorkerStore` claims jobs and commits outcomes, the Announcer (`announcer.py`) announces them.
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
from errand.errors import CallFailed, JobRefused, StoreUnavailable
from errand.settings import Settings
from errand.store import Commit, DueNotification, Lease, NewJob, Outcome, Renewal, Store
from errand.trust.recipients import is_allowed, not_allowed_message
from schemas.notifications import NoticeState
from schemas.requests import ComputeRequest
from schemas.status import FINAL, Status
from workers.announcer import Announcer

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

CALL_SECONDS, LOOK_SECONDS = 60.0, 0.05
"""How long a call by RPC waits for a job that another worker runs, and the pause between two looks."""
PAUSES = (0.1, 0.2, 0.5, 1.0)
"""Seconds between attempts to commit while the store is away; the last is repeated."""


class WorkerStore:
    """The store as a worker uses it: with the times of the settings, and with retries where an outcome may be lost."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Wrap `store`."""
        self.store, self.settings = store, settings
        self.worker = worker_name()

    def claim(self, queue: str, most: int) -> list[Lease]:
        """Claim up to `most` of the jobs that wait in `queue`, the best first; raise StoreUnavailable."""
        return self.store.claim(queue, most, self.worker, self.settings.lease_seconds) if most else []

    def claim_call(self, job: NewJob) -> list[Lease]:
        """Claim a job that was just accepted, unless another worker has it; raise StoreUnavailable."""
        return self.store.claim_these([job.id], self.worker, self.settings.lease_seconds)

    def ending_of(self, job: NewJob) -> tuple[Status, str]:
        """Wait until the job has ended, here or elsewhere; return its status and its result or error as JSON.

        Raises StoreUnavailable, and CallFailed after CALL_SECONDS or if the job is gone.
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
        """Renew the leases, and store their jobs' progress and log lines; raise StoreUnavailable."""
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
        job = NewJob(
            str(uuid7()),
            call.operation,
            arguments,
            emails,
            max_attempts=self.settings.max_attempts,
            notify=(
                "succeeded",
                "failed",
                "cancelled",
            ),  # no receipt: the caller gets the result or has sent one itself
        )
        self.store.accept([job], quiet=True)  # no other worker is woken: this one runs it
        return job

    def commit(self, outcomes: Sequence[Outcome]) -> list[Commit]:
        """Store the outcomes; while the store is away, wait for it. The fence refuses one that comes too late."""
        if not outcomes:
            return []
        commits = _patiently(lambda: self.store.commit(outcomes, self.worker, self.settings.lease_seconds))
        for outcome, commit in zip(outcomes, commits, strict=True):
            if not commit.stored and not outcome.lease.is_offer:
                log.warning("Lease lost, outcome refused", extra={"action": "stale", "job_id": outcome.lease.id})
        return commits

    def settle(self, notice: DueNotification, state: NoticeState, error: str = "", retry_after: float = 0.0) -> bool:
        """Store how an attempt to notify ended; while the store is away, wait for it, or else it is sent again."""
        return _patiently(lambda: self.store.settle(notice, state, error, retry_after))


def _patiently(ask: Callable[[], Answer]) -> Answer:
    """Call `ask` until the store answers."""
    for pause in pauses(PAUSES):
        try:
            return ask()
        except StoreUnavailable as fault:
            log.warning("Outcomes wait for the store: %s", fault, extra={"action": "commit_waits"})
            eventlet.sleep(pause)
    raise AssertionError("the pauses never end")


class StoreProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects a WorkerStore, shared by all workers of the container."""

    def setup(self) -> None:
        """Make the store, which connects at its first use."""
        settings = settings_of(self)
        self._store = WorkerStore(Store.connect(settings), settings)

    def get_dependency(self, worker_ctx: Any) -> WorkerStore:
        """Return the store."""
        return self._store


class AnnouncerProvider(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects an Announcer, shared by all workers of the container."""

    def setup(self) -> None:
        """Start the announcer."""
        self._announcer = Announcer(settings_of(self).amqp_uri)

    def stop(self) -> None:
        """Stop the announcer."""
        self._announcer.close()

    kill = stop

    def get_dependency(self, worker_ctx: Any) -> Announcer:
        """Return the announcer."""
        return self._announcer


def settings_of(extension: Extension) -> Settings:
    """Return the settings that the container was made with (`workers/runner.py`), or those of the environment."""
    settings: Settings = extension.container.config.get("SETTINGS") or Settings.load()
    return settings


def worker_name() -> str:
    """Return a name for this process, from its machine and its process id: unique while it lives."""
    return f"{socket.gethostname()}:{os.getpid()}"
