"""The witness: reads the stream of events while everything falls, and notes which jobs a hit worker was holding.

Stands beside the whole life of a job. Next: `ledger.py`, which compares what it saw with what is stored.
"""

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from socket import gethostname
from typing import Any, cast

from chaos.follower import Follower, seconds
from chaos.saboteur import Done
from errand.store import Event, Store
from errand.store.availability import UNAVAILABLE
from schemas.status import FINAL

PAUSE = 0.1


@dataclass(frozen=True)
class Step:
    """One status that a job reached: when (s since 1970, by the store's clock), which, in which attempt."""

    at: float
    status: str
    attempt: int


@dataclass(frozen=True)
class Holding:
    """A hit worker, and the jobs it held a lease of at that moment."""

    done: Done
    ids: tuple[str, ...]


@dataclass
class Seen:
    """All that was seen."""

    steps: dict[str, list[Step]] = field(default_factory=lambda: defaultdict(list))
    holdings: list[Holding] = field(default_factory=list)
    gaps: int = 0
    """How often entries of the stream were gone before they were read."""
    unseen: int = 0
    """Hits on workers whose jobs could not be told, as the store was away too."""

    def finals(self, job_id: str) -> list[Step]:
        """Give the steps at which a job ended."""
        return [step for step in self.steps.get(job_id, ()) if step.status in FINAL]


class Witness:
    """Threads of its own read the events, and look at the leases after each hit on a worker."""

    def __init__(self, store: Store) -> None:
        """Read from `store`."""
        self.seen = Seen()
        self._store = store
        self._follower = Follower(store, self._take)
        self._lookers: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to read."""
        self._follower.start()

    def stop(self) -> None:
        """Read what is there, then stop."""
        self._follower.stop()
        self.seen.gaps = self._follower.gaps
        for looker in self._lookers:
            looker.join()

    def hit(self, done: Done) -> None:
        """Note what a worker that was just hit was holding."""
        if done.fault.kind in {"compute", "cpu child", "io child"}:
            looker = threading.Thread(target=self._look, args=(done,))
            looker.start()
            self._lookers.append(looker)

    def ended(self) -> int:
        """Count the jobs that have ended."""
        return sum(1 for steps in list(self.seen.steps.values()) if steps[-1].status in FINAL)

    def _look(self, done: Done) -> None:
        """Find the leases of the worker: nobody touches them before they expire."""
        worker = f"{gethostname()}:{done.owner}"
        deadline = time.time() + 8
        while time.time() < deadline:
            try:
                ids = self._leases_of(worker, done)
            except UNAVAILABLE:
                time.sleep(PAUSE)
            else:
                self.seen.holdings.append(Holding(done, ids))
                return
        self.seen.unseen += 1

    def _leases_of(self, worker: str, done: Done) -> tuple[str, ...]:
        client, keys = self._store.client, self._store.keys
        ids = cast(list[str], client.zrange(keys.leases, 0, -1))
        pipe = client.pipeline(transaction=False)
        for job_id in ids:
            pipe.hmget(keys.job(job_id), "worker", "queue")
        rows = cast(list[Any], pipe.execute())
        queue = f"compute.{done.fault.kind.removesuffix(' child')}" if done.owner != done.pid else None
        return tuple(i for i, row in zip(ids, rows, strict=True) if row[0] == worker and queue in {None, row[1]})

    def _take(self, event: Event) -> None:
        if event.kind == "status":
            data = json.loads(event.data)
            self.seen.steps[event.id].append(Step(seconds(event), data["status"], int(data["attempt"])))
