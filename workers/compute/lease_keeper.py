"""Keeps the leases of running jobs, and carries what they have to say into the store.

Stands at step 4 of a job's life, beside `executor.py`: several times a second one round trip renews every lease of this
process, takes progress and log lines along, and brings back whose job was called off.
"""

import json
import logging
from collections.abc import Callable, Sequence
from itertools import islice
from time import monotonic

import eventlet
from eventlet.semaphore import Semaphore

from errand.errors import StoreUnavailable
from errand.store import Lease
from workers.dependencies import WorkerStore

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.4
"""Between two rounds: a job that is called off learns of it within this."""
YOUNG_SECONDS = 0.2
"""A lease that is younger needs no renewal, nor one in the first tenth of its time, so that a job that takes a moment
costs none. One whose job has something to say is renewed anyway."""
MOST_LEASES = 250
"""Renewed in one call: Redis does nothing else meanwhile."""
MOST_LINES = 200
"""Lines of one job's log that a round takes; those in between are left out, and counted."""


class KeptLease:
    """A lease that is being kept, and what its job has said since the last round."""

    def __init__(self, lease: Lease) -> None:
        """Begin with nothing said."""
        self.lease = lease
        self.began = monotonic()
        self._progress: str | None = None
        self._lines: list[str] = []
        self._left_out = 0

    def progress(self, fraction: float, message: str | None) -> None:
        """Note how far the job has come."""
        spent = monotonic() - self.began
        left = round(spent * (1 - fraction) / fraction, 1) if fraction > 0 else None
        said = {"progress": round(fraction, 4), "message": message and message[:500], "eta_seconds": left}
        self._progress = json.dumps(said, separators=(",", ":"))

    def line(self, text: str) -> None:
        """Note a line of the job's log."""
        if len(self._lines) < MOST_LINES:
            self._lines.append(text.encode("utf-8", "replace").decode())
        else:
            self._left_out += 1

    @property
    def has_news(self) -> bool:
        """Tell whether its job has said something."""
        return bool(self._progress or self._lines)

    def said(self) -> tuple[str | None, list[str]]:
        """Give what was noted, once."""
        if self._left_out:
            self._lines.append(f"… {self._left_out} lines left out")
        told = self._progress, self._lines
        self._progress, self._lines, self._left_out = None, [], 0
        return told


Told = tuple[KeptLease, str | None, list[str]]  # a lease, its progress and the lines of its log since the last round


class LeaseKeeper:
    """Keeps leases until they are let go; `cancel(id)` is called for a job that lost its lease or was called off."""

    def __init__(self, store: WorkerStore, cancel: Callable[[Lease], None]) -> None:
        """Keep them in `store`, from a greenthread that works while there is something to keep."""
        self._store, self._cancel = store, cancel
        self._young = min(YOUNG_SECONDS, store.settings.lease_seconds / 10)
        self._held: dict[str, KeptLease] = {}
        self._there = eventlet.Queue(maxsize=1)
        self._one_at_a_time = Semaphore()
        self._loop = eventlet.spawn(self._run)

    def hold(self, lease: Lease) -> KeptLease:
        """Keep a lease from now on."""
        held = self._held[key_of(lease)] = KeptLease(lease)
        if not self._there.full():
            self._there.put(None)
        return held

    def let_go(self, leases: Sequence[Lease]) -> None:
        """Keep these no longer, and write down what their jobs have said last."""
        with self._one_at_a_time:  # a round on its way has words of theirs that must be there before the outcome is
            last = [held for lease in leases if (held := self._held.pop(key_of(lease), None))]
            self._tell([held for held in last if held.has_news])

    def close(self) -> None:
        """Keep nothing any more."""
        self._loop.kill()

    def _run(self) -> None:
        while True:
            if not self._held:
                self._there.get()
            eventlet.sleep(ROUND_SECONDS)
            self._round()

    def _round(self) -> None:
        old = monotonic() - self._young
        due = iter([key for key, held in self._held.items() if held.began <= old or held.has_news])
        while keys := list(islice(due, MOST_LEASES)):
            with self._one_at_a_time:
                self._tell([held for key in keys if (held := self._held.get(key))])

    def _tell(self, held: Sequence[KeptLease]) -> None:
        if not held:
            return
        try:
            self._renew([(each, *each.said()) for each in held])
        except StoreUnavailable as fault:
            log.warning("Leases could not be renewed: %s", fault, extra={"action": "renew_failed"})
        except Exception:
            log.exception("The keeper met a fault it does not know", extra={"action": "keeper_fault"})

    def _renew(self, told: Sequence[Told]) -> None:
        progress = {held.lease.id: text for held, text, _ in told if text}
        lines = [(held.lease.id, line) for held, _, texts in told for line in texts]
        renewal = self._store.renew([held.lease for held, _, _ in told], progress, lines)
        for held, _, _ in told:
            if held.lease.id in renewal.lost:
                log.warning("Lease lost, job stopped", extra={"action": "lease_lost", "job_id": held.lease.id})
            if held.lease.id in renewal.lost | renewal.cancel:
                self._cancel(held.lease)


def key_of(lease: Lease) -> str:
    """Name one attempt of a job: the same job may be here twice for a moment, when a lease was lost and taken again."""
    return f"{lease.id}:{lease.fence}"
