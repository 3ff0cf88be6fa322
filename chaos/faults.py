"""The kinds of faults, and the sequence of faults that a seed produces.

Next: `fault_injector.py`, which injects them.
"""

import math
from dataclasses import dataclass
from random import Random

from chaos.plan import ChaosPlan

SHORTEST_STOP = 0.5

KINDS = (
    ("compute", "kill", 3),
    ("compute", "stop", 3),
    ("cpu child", "kill", 1),
    ("cpu child", "stop", 1),
    ("io child", "kill", 1),
    ("io child", "stop", 1),
    ("api", "kill", 1),
    ("api", "stop", 1),
    ("api child", "kill", 1),
    ("api child", "stop", 1),
    ("mail", "kill", 2),
    ("mail", "stop", 1),
    ("webhooks", "kill", 2),
    ("webhooks", "stop", 1),
    ("rescuer", "kill", 1),
    ("rescuer", "stop", 1),
    ("valkey", "kill", 1),
    ("valkey", "stop", 1),
    ("rabbitmq", "kill", 1),
    ("rabbitmq", "stop", 1),
    ("smtp", "refuse", 1),
    ("smtp", "hang", 1),
    ("smtp", "drop", 1),
    ("smtp", "turn away", 1),
    ("receiver", "500", 1),
    ("receiver", "hang", 1),
    ("receiver", "drop", 1),
    ("receiver", "refuse", 1),
)
"""Target, fault, and how often the fault occurs in each round."""


@dataclass(frozen=True)
class ChaosFault:
    """One fault: its time (s from the start), its target and kind, and its duration (s) unless it is a kill."""

    at: float
    kind: str
    what: str
    seconds: float

    def __str__(self) -> str:
        """Write the fault as the log of a run shows it."""
        return f"{self.what} {self.kind}" + (f" for {self.seconds:.1f} s" if self.what != "kill" else "")


def faults(plan: ChaosPlan) -> list[ChaosFault]:
    """Spread the faults over the run in shuffled rounds, so that each kind gets its share."""
    random = Random(f"faults {plan.seed}")
    rows = [(kind, what) for kind, what, share in KINDS for _ in range(share) if not plan.kinds or kind in plan.kinds]
    order: list[tuple[str, str]] = []
    while len(order) < plan.faults:
        order += random.sample(rows, len(rows))
    made = []
    for number, (kind, what) in enumerate(order[: plan.faults]):
        at = (number + random.random()) * plan.seconds / plan.faults
        # log-uniform: as many short faults as long ones
        seconds = math.exp(random.uniform(math.log(SHORTEST_STOP), math.log(plan.longest_stop)))
        made.append(ChaosFault(at, kind, what, round(seconds, 1)))
    return sorted(made, key=lambda fault: fault.at)
