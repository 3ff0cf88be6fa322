"""The parameters of a soak test, read from the environment: duration, load, sampling intervals.

Next: `run.py`.
"""

import os
import secrets
import sys
from dataclasses import dataclass
from typing import Self

from chaos.plan import ChaosPlan

OPERATIONS = "workers.operations,soak.operations"
SHORT_LOG = f" -ra wal_max_size_bytes {8 * 2**20}"
"""RabbitMQ keeps the log of its quorum queues in memory until a file of it is full. The default file of 512 MiB would
let memory grow for hours and then shrink; files of 8 MiB do both every few minutes."""


@dataclass(frozen=True)
class SoakPlan:
    """The parameters of one test."""

    minutes: float = 30.0
    """Duration of the load."""
    seed: int = 0
    share: float = 0.5
    """Fraction of full load."""
    rate: float | None = None
    """Scenarios a second; None: `share` of the measured full load."""
    most: float = 1000.0
    """Upper limit of the rate, for machines that run other things too."""
    retention: int = 60
    """RESULT_TTL, FAILURE_TTL and CANCELLED_TTL (s): short, so that jobs expire as fast as new ones arrive."""
    looks_every: float = 5.0
    """Seconds between two samples of processes and store."""
    measures: float = 15.0
    """Seconds for which full load is measured; the first third is not counted."""
    clients: int = 256
    """Scenarios that may run at a time."""

    @property
    def seconds(self) -> float:
        """Duration of the load (s)."""
        return self.minutes * 60

    @property
    def warm_up(self) -> float:
        """Seconds at the start that are not judged: until then jobs, caches and memory allocators fill up."""
        return min(600.0, self.seconds * 0.4)

    @property
    def asks_every(self) -> float:
        """Seconds between two expensive samples: of RabbitMQ (each starts an Erlang process), and of every key."""
        return 30.0 if self.minutes >= 10 else 10.0

    @property
    def deployment(self) -> ChaosPlan:
        """The plan of the deployment."""
        retention = dict.fromkeys(("RESULT_TTL", "FAILURE_TTL", "CANCELLED_TTL"), str(self.retention))
        settings = {"OPERATIONS": OPERATIONS, **retention}
        return ChaosPlan(seed=self.seed, nodes=1, settings=settings, erlang=SHORT_LOG)

    @classmethod
    def from_environment(cls) -> Self:
        """Read MINUTES, SEED and RATE; exit with a sentence if one is invalid."""
        said = {name: os.environ.get(name, "") for name in ("MINUTES", "SEED", "RATE")}
        try:
            return cls(
                minutes=float(said["MINUTES"] or cls.minutes),
                seed=int(said["SEED"] or secrets.randbelow(10**6)),
                rate=float(said["RATE"]) if said["RATE"] else None,
            )
        except ValueError as fault:
            sys.stderr.write(f"soak: MINUTES, SEED and RATE must be numbers: {fault}\n")
            raise SystemExit(2) from None
