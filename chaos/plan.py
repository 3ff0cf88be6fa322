"""The parameters of a run, read from the environment: number of jobs and faults, seed, speed.

Next: `workload.py`, which generates the jobs.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True)
class ChaosPlan:
    """The parameters of a run. The same seed produces the same jobs, and the same faults in the same order."""

    jobs: int = 1000
    faults: int = 40
    seed: int = 0
    nodes: int = 1
    """Nodes of the RabbitMQ cluster."""
    gap: float = 2.5
    """Seconds between two faults, on average."""
    longest_stop: float = 20.0
    """Longest time (s) for which a process is paused."""
    clients: int = 4
    patience: float = 300.0
    """Seconds after the last fault within which every job must have ended."""
    kinds: tuple[str, ...] = ()
    """Kinds of processes to inject faults into; empty: all."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of Errand that differ from the defaults."""
    erlang: str = ""
    """Additional arguments for RabbitMQ's Erlang."""

    @property
    def seconds(self) -> float:
        """Duration of the load and the faults (s)."""
        return max(5.0, self.faults * self.gap)

    @classmethod
    def from_environment(cls) -> Self:
        """Read JOBS, FAULTS, SEED, NODES, GAP, STOP and KINDS; exit with a sentence if one is invalid."""
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
            sys.stderr.write(f"chaos: JOBS, FAULTS, SEED, NODES, GAP and STOP must be numbers: {fault}\n")
            raise SystemExit(2) from None
