"""The observer: reads the stream of events while everything falls, and notes which jobs a hit worker was held.

Stands beside the whole life of a job. Next: `ledger.py`, which compares what it saw with what is stored.
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
from errand.store.availability import UNAVAILABLE
from schemas.status import FINAL

PAUSE = 0.1


@dataclass(frozen=True)
class StatusChange:
    """One status that a job reached: when (s since 1970, by the store's clock), which, in which attempt."""

    at: float
    status: str
    attempt: int


@dataclass(frozen=True)
class HeldJobs:
    """A hit worker, and the jobs it held a lease of at that moment."""

    injected: InjectedFault
    ids: tuple[str, ...]


@dataclass
class Observations:
    """All that was observations."""

    steps: dict[str, list[StatusChange]] = field(default_factory=lambda: defaultdict(list))
    held_jobs: list[HeldJobs] = field(default_factory=list)
    gaps: int = 0
    """How often entries of the stream were gone before they were read."""
    unseen: int = 0
    """Hits on workers whose jobs could not be results, as the store was away too."""

    def finals(self, job_id: str) -> list[StatusChange]:
        """Give the steps at which a job ended."""
        return [step for step in self.steps.get(job_id, ()) if step.status in FINAL]


class Observer:
    """Threads of its own read the events, and look at the leases after each hit on a worker."""

    def __init__(self, store: Store) -> None:
        """Read from `store`."""
        self.observations = Observations()
        self._store = store
        self._reader = EventReader(store, self._take)
        self._lookers: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to read."""
        self._reader.start()

    def stop(self) -> None:
        """Read what is there, then stop."""
        self._reader.stop()
        self.observations.gaps = self._reader.gaps
        for looker in self._lookers:
            looker.join()

    def hit(self, injected: InjectedFault) -> None:
        """Note what a worker that was just hit was held."""
        if injected.fault.kind in {"compute", "cpu child", "io child"}:
            looker = threading.Thread(target=self._look, args=(injected,))
            looker.start()
            self._lookers.append(looker)

    def ended(self) -> int:
        """Count the jobs that have ended."""
        return sum(1 for steps in list(self.observations.steps.values()) if steps[-1].status in FINAL)

    def _look(self, injected: InjectedFault) -> None:
        """Find the leases of the worker: nobody touches them before they expire."""
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
