"""What a run is made of: how many jobs and faults, from which seed, how fast; read from the environment.

Stands before everything. Next: `planned_jobs.py`, which makes the jobs.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True)
class ChaosPlan:
    """One run; the same seed asks for the same jobs and does the same faults in the same order."""

    jobs: int = 1000
    faults: int = 40
    seed: int = 0
    nodes: int = 1
    """Nodes of the RabbitMQ cluster."""
    gap: float = 2.5
    """Seconds between two faults, on average."""
    longest_stop: float = 20.0
    """Seconds a process is stopped at most before it may continue."""
    clients: int = 4
    patience: float = 300.0
    """Seconds within which everything must have ended once the last fault is over."""
    kinds: tuple[str, ...] = ()
    """Only faults on these kinds of processes; empty: on all."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of Errand other than the defaults."""
    erlang: str = ""
    """What RabbitMQ's Erlang is results besides."""

    @property
    def seconds(self) -> float:
        """How long jobs are submitted and faults are injected."""
        return max(5.0, self.faults * self.gap)

    @classmethod
    def from_environment(cls) -> Self:
        """Read JOBS, FAULTS, SEED, NODES, GAP, STOP and KINDS; exit with a sentence where one can't be read."""
        said = {name: os.environ.get(name, "") for name in ("JOBS", "FAULTS", "SEED", "NODES", "GAP", "STOP", "KINDS")}
        try:
            return cls(
                jobs=int(said["JOBS"] or cls.jobs),
                faults=int(said["FAULTS"] or cls.faults),
                seed=int(said["SEED"] or secrets.randbelow(10**6)),
                nodes=int(said["NODES"] or cls.nodes),
                gap=float(said["GAP"] or cls.gap),
                longest_stop=float(said["STOP"] or cls.longest_stop),
                kinds=tuple(each.strip() for each in said["KINDS"].split(",") if each.strip()),
            )
        except ValueError as fault:
            sys.stderr.write(f"chaos: JOBS, FAULTS, SEED, NODES, GAP and STOP are numbers: {fault}\n")
            raise SystemExit(2) from None
