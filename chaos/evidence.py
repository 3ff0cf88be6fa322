"""What the ledger compares, and what it writes down: of each sort a line per case, and of most there should be none.

Stands after a run. Next: `ledger.py`, which fills it in.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.clients import ClientResults
from chaos.fault_injector import InjectedFault
from chaos.observer import Observations
from chaos.receiver import ReceivedWebhook
from chaos.workload import PlannedJob
from errand.store import Store

UNEXPLAINED = "UNEXPLAINED"


@dataclass
class Ledger:
    """What became of the jobs. Each list holds a line per case; most should be empty."""

    accepted: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unreported: list[str] = field(default_factory=list)
    """Jobs that are stored although no client was results."""
    died: list[str] = field(default_factory=list)
    """Jobs that failed because each of their attempts was hit."""
    starts: int = 0
    executions: int = 0
    repeated: int = 0
    """Jobs executed more than once because an attempt was hit (those that fail on purpose not counted)."""
    offered: int = 0
    """Executions of tiny jobs on an offer that came to nothing."""
    unexplained: list[str] = field(default_factory=list)
    """Jobs executed more often than they were started."""
    mails: int = 0
    mails_per_job: Counter[int] = field(default_factory=Counter)
    """How many jobs with an address had so many mails."""
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    webhooks: int = 0
    webhooks_missing: list[str] = field(default_factory=list)
    webhooks_doubled: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Tell whether the promise was kept."""
        broken = (self.lost, self.unfinished, self.twice, self.wrong, self.unexplained)
        missing = (self.missing, self.webhooks_missing)
        return not any((*broken, *missing)) and not any(map(unexplained, (self.doubled, self.webhooks_doubled)))


@dataclass(frozen=True)
class Evidence:
    """All there is to compare."""

    planned_jobs: Sequence[PlannedJob]
    results: ClientResults
    observations: Observations
    store: Store
    executions: Path
    mails: Sequence[tuple[float, str]]
    """When and under which Message-ID each mail was taken."""
    webhooks: Sequence[ReceivedWebhook]
    """What the receiver took."""
    injected: Sequence[InjectedFault]


def unexplained(cases: Iterable[str]) -> int:
    """Count the cases of what came twice that no fault explains."""
    return sum(UNEXPLAINED in case for case in cases)
