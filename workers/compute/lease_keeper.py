"""Renews the leases of running jobs, and stores their progress and log lines.

Several times a second one round trip renews the leases of this process, takes progress and log lines along, and brings
back which jobs were cancelled. `executor.py` keeps a lease while its job runs in a child.
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
"""Between two rounds, and so until a running job learns that it was cancelled."""
YOUNG_SECONDS = 0.2
"""A younger lease needs no renewal, nor does one in the first tenth of its time: a short job costs none. Once its job
has reported something, it is renewed anyway."""
MOST_LEASES = 250
"""Maximum leases to renew in one call: Redis does nothing else meanwhile."""
MOST_LINES = 200
"""Maximum lines of one job's log in a round; the lines beyond are left out and counted."""


class KeptLease:
    """A lease that is renewed, and what its job has reported since the last round."""

    def __init__(self, lease: Lease) -> None:
        """Begin with no report."""
        self.lease = lease
        self.began = monotonic()
        self._progress: str | None = None
        self._lines: list[str] = []
        self._left_out = 0

    def progress(self, fraction: float, message: str | None) -> None:
        """Note the job's progress."""
        spent = monotonic() - self.began
        left = round(spent * (1 - fraction) / fraction, 1) if fraction > 0 else None
        report = {"progress": round(fraction, 4), "message": message and message[:500], "eta_seconds": left}
        self._progress = json.dumps(report, separators=(",", ":"))

    def line(self, text: str) -> None:
        """Note a line of the job's log."""
        if len(self._lines) < MOST_LINES:
            self._lines.append(text.encode("utf-8", "replace").decode())
        else:
            self._left_out += 1

    @property
    def has_reports(self) -> bool:
        """Return whether its job has reported something since the last round."""
        return bool(self._progress or self._lines)

    def take_reports(self) -> tuple[str | None, list[str]]:
        """Return progress (JSON) and log lines since the last call."""
        if self._left_out:
            self._lines.append(f"… {self._left_out} lines left out")
        reports = self._progress, self._lines
        self._progress, self._lines, self._left_out = None, [], 0
        return reports


Reports = tuple[KeptLease, str | None, list[str]]  # a lease, its job's progress and log lines since the last round


class LeaseKeeper:
    """Renews leases until they are released; calls `cancel(lease)` for a job that lost its lease or was cancelled."""

    def __init__(self, store: WorkerStore, cancel: Callable[[Lease], None]) -> None:
        """Renew them in `store`, from a greenthread that works while there are any."""
        self._store, self._cancel = store, cancel
        self._young = min(YOUNG_SECONDS, store.settings.lease_seconds / 10)
        self._kept: dict[str, KeptLease] = {}
        self._wake = eventlet.Queue(maxsize=1)
        self._one_at_a_time = Semaphore()
        self._loop = eventlet.spawn(self._run)

    def keep(self, lease: Lease) -> KeptLease:
        """Renew a lease from now on."""
        kept = self._kept[key_of(lease)] = KeptLease(lease)
        if not self._wake.full():
            self._wake.put(None)
        return kept

    def release(self, leases: Sequence[Lease]) -> None:
        """Stop renewing these, and store what their jobs reported last; leases that aren't kept are ignored."""
        if not self._kept or not any(key_of(lease) in self._kept for lease in leases):
            return
        with self._one_at_a_time:  # a round on its way has reports of theirs, to be stored before their outcomes
            last = [kept for lease in leases if (kept := self._kept.pop(key_of(lease), None))]
            self._report([kept for kept in last if kept.has_reports])

    def close(self) -> None:
        """Stop renewing all leases."""
        self._loop.kill()

    def _run(self) -> None:
        while True:
            if not self._kept:
                self._wake.get()
            eventlet.sleep(ROUND_SECONDS)
            self._round()

    def _round(self) -> None:
        old = monotonic() - self._young
        due = iter([key for key, kept in self._kept.items() if kept.began <= old or kept.has_reports])
        while keys := list(islice(due, MOST_LEASES)):
            with self._one_at_a_time:
                self._report([kept for key in keys if (kept := self._kept.get(key))])

    def _report(self, kept: Sequence[KeptLease]) -> None:
        if not kept:
            return
        try:
            self._renew([(each, *each.take_reports()) for each in kept])
        except StoreUnavailable as fault:
            log.warning("Leases could not be renewed: %s", fault, extra={"action": "renew_failed"})
        except Exception:
            log.exception("Renewing leases failed for an unexpected reason", extra={"action": "keeper_fault"})

    def _renew(self, reports: Sequence[Reports]) -> None:
        progress = {kept.lease.id: text for kept, text, _ in reports if text}
        lines = [(kept.lease.id, line) for kept, _, texts in reports for line in texts]
        renewal = self._store.renew([kept.lease for kept, _, _ in reports], progress, lines)
        for kept, _, _ in reports:
            if kept.lease.id in renewal.lost:
                log.warning("Lease lost, job stopped", extra={"action": "lease_lost", "job_id": kept.lease.id})
            if kept.lease.id in renewal.lost | renewal.cancel:
                self._cancel(kept.lease)


def key_of(lease: Lease) -> str:
    """Return the name of one attempt: a job may be here twice for a moment, if its lease was lost and claimed again."""
    return f"{lease.id}:{lease.fence}"
