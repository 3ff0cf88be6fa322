"""The inputs of the final check, and the ledger that it fills.

Next: `ledger.py`.
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
    """What became of the jobs. Each list has one line per case; most should be empty."""

    accepted: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unreported: list[str] = field(default_factory=list)
    """Jobs in the store whose id no client received."""
    died: list[str] = field(default_factory=list)
    """Jobs that failed because a fault hit each of their attempts."""
    starts: int = 0
    executions: int = 0
    repeated: int = 0
    """Jobs executed more than once because a fault hit an attempt, without those that fail on purpose."""
    offered: int = 0
    """Executions of tiny jobs on an offer whose claim then failed."""
    unexplained: list[str] = field(default_factory=list)
    """Jobs executed more often than they were started."""
    mails: int = 0
    mails_per_job: Counter[int] = field(default_factory=Counter)
    """Number of jobs with an address, by how many mails each received."""
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    webhooks: int = 0
    webhooks_missing: list[str] = field(default_factory=list)
    webhooks_doubled: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Return whether every check passed."""
        broken = (self.lost, self.unfinished, self.twice, self.wrong, self.unexplained)
        missing = (self.missing, self.webhooks_missing)
        return not any((*broken, *missing)) and not any(map(unexplained, (self.doubled, self.webhooks_doubled)))


@dataclass(frozen=True)
class Evidence:
    """Everything that the check compares."""

    planned_jobs: Sequence[PlannedJob]
    results: ClientResults
    observations: Observations
    store: Store
    executions: Path
    mails: Sequence[tuple[float, str]]
    """Time and Message-ID of each mail that the mail server accepted."""
    webhooks: Sequence[ReceivedWebhook]
    """Webhooks that the receiver accepted."""
    injected: Sequence[InjectedFault]


def unexplained(cases: Iterable[str]) -> int:
    """Count the duplicates that no fault explains."""
    return sum(UNEXPLAINED in case for case in cases)
