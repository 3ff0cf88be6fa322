"""What a soak is made of: how long, how much of full load, how often is looked; read from the environment.

Stands before everything. Next: `run.py`, which plays it.
"""

import os
import secrets
import sys
from dataclasses import dataclass
from typing import Self

from chaos.plan import ChaosPlan

OPERATIONS = "workers.operations,soak.operations"
SHORT_LOG = f" -ra wal_max_size_bytes {8 * 2**20}"
"""RabbitMQ keeps the log of its quorum queues in memory until a file of it is full, of 512 MiB by default: it would
grow for hours, and then shrink. With files of 8 MiB it does both every few minutes."""


@dataclass(frozen=True)
class SoakPlan:
    """One soak."""

    minutes: float = 30.0
    """How long the load is offered."""
    seed: int = 0
    share: float = 0.5
    """Of full load."""
    rate: float | None = None
    """Acts a second that are offered; None: `share` of what is measured first."""
    most: float = 1000.0
    """Acts a second that are offered at most, where something else is to run on the machine too."""
    retention: int = 60
    """RESULT_TTL (s): short, so that jobs expire as fast as others come."""
    looks_every: float = 5.0
    """Seconds between two looks at processes and store."""
    measures: float = 15.0
    """Seconds for which full load is measured; its first third doesn't count."""
    clients: int = 256
    """Acts that may be going on at a time."""

    @property
    def seconds(self) -> float:
        """How long the load is offered."""
        return self.minutes * 60

    @property
    def warm_up(self) -> float:
        """Seconds from the load's beginning that don't count: retention fills up, caches and allocators too."""
        return min(600.0, self.seconds * 0.4)

    @property
    def asks_every(self) -> float:
        """Seconds between two questions that cost much: to RabbitMQ (a process of Erlang each), and to every key."""
        return 30.0 if self.minutes >= 10 else 10.0

    @property
    def deployment(self) -> ChaosPlan:
        """The processes, as chaos has them."""
        settings = {"OPERATIONS": OPERATIONS, "RESULT_TTL": str(self.retention)}
        return ChaosPlan(seed=self.seed, nodes=1, settings=settings, erlang=SHORT_LOG)

    @classmethod
    def from_environment(cls) -> Self:
        """Read MINUTES, SEED and RATE; exit with a sentence where one can't be read."""
        said = {name: os.environ.get(name, "") for name in ("MINUTES", "SEED", "RATE")}
        try:
            return cls(
                minutes=float(said["MINUTES"] or cls.minutes),
                seed=int(said["SEED"] or secrets.randbelow(10**6)),
                rate=float(said["RATE"]) if said["RATE"] else None,
            )
        except ValueError as fault:
            sys.stderr.write(f"soak: MINUTES, SEED and RATE are numbers: {fault}\n")
            raise SystemExit(2) from None
