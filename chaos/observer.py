"""Reads the stream of events during the faults, and records which jobs a worker held when it was hit.

Next: `ledger.py`, which compares the observations with the store.
"""

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from socket import gethostname
from typing import Any, cast

from chaos.event_reader import EventReader, seconds
from chaos.fault_injector import InjectedFault
from errand.store import Event, Store
from errand.store.redis_access.availability import UNAVAILABLE
from schemas.status import FINAL

PAUSE = 0.1


@dataclass(frozen=True)
class StatusChange:
    """A status that a job reached, its time (s since 1970, by the store's clock), and the attempt."""

    at: float
    status: str
    attempt: int


@dataclass(frozen=True)
class HeldJobs:
    """The jobs that a worker held leases of when it was hit."""

    injected: InjectedFault
    ids: tuple[str, ...]


@dataclass
class Observations:
    """Everything observed."""

    steps: dict[str, list[StatusChange]] = field(default_factory=lambda: defaultdict(list))
    held_jobs: list[HeldJobs] = field(default_factory=list)
    gaps: int = 0
    """Number of times that entries left the stream before they were read."""
    unseen: int = 0
    """Faults on workers whose jobs could not be looked up, because the store was down too."""

    def finals(self, job_id: str) -> list[StatusChange]:
        """Return the changes to a final status."""
        return [step for step in self.steps.get(job_id, ()) if step.status in FINAL]


class Observer:
    """Threads that read the events, and look up the leases after each fault on a worker."""

    def __init__(self, store: Store) -> None:
        """Observe `store`."""
        self.observations = Observations()
        self._store = store
        self._reader = EventReader(store, self._take)
        self._lookers: list[threading.Thread] = []

    def start(self) -> None:
        """Start reading."""
        self._reader.start()

    def stop(self) -> None:
        """Read to the end of the stream, then stop."""
        self._reader.stop()
        self.observations.gaps = self._reader.gaps
        for looker in self._lookers:
            looker.join()

    def hit(self, injected: InjectedFault) -> None:
        """Record which jobs a worker held that was just hit."""
        if injected.fault.kind in {"compute", "cpu child", "io child"}:
            looker = threading.Thread(target=self._look, args=(injected,))
            looker.start()
            self._lookers.append(looker)

    def ended(self) -> int:
        """Return the number of jobs that have ended."""
        return sum(1 for steps in list(self.observations.steps.values()) if steps[-1].status in FINAL)

    def _look(self, injected: InjectedFault) -> None:
        """Look up the worker's leases; they stay until they expire."""
        worker = f"{gethostname()}:{injected.owner}"
        deadline = time.time() + 8
        while time.time() < deadline:
            try:
                ids = self._leases_of(worker, injected)
            except UNAVAILABLE:
                time.sleep(PAUSE)
            else:
                self.observations.held_jobs.append(HeldJobs(injected, ids))
                return
        self.observations.unseen += 1

    def _leases_of(self, worker: str, injected: InjectedFault) -> tuple[str, ...]:
        client, keys = self._store.client, self._store.keys
        ids = cast(list[str], client.zrange(keys.leases, 0, -1))
        pipe = client.pipeline(transaction=False)
        for job_id in ids:
            pipe.hmget(keys.job(job_id), "worker", "queue")
        rows = cast(list[Any], pipe.execute())
        queue = f"compute.{injected.fault.kind.removesuffix(' child')}" if injected.owner != injected.pid else None
        return tuple(i for i, row in zip(ids, rows, strict=True) if row[0] == worker and queue in {None, row[1]})

    def _take(self, event: Event) -> None:
        if event.kind == "status":
            data = json.loads(event.data)
            self.observations.steps[event.id].append(StatusChange(seconds(event), data["status"], int(data["attempt"])))
