"""Generates the jobs of the test: of every weight and every outcome, each with its expected outcome."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

PRIMES = {10_000: 1229, 1_000_000: 78_498}


@dataclass(frozen=True)
class SoakJob:
    """One job, the statuses in which it may end, and its expected result."""

    operation: str
    arguments: dict[str, Any]
    result: Any = None
    ends: tuple[str, ...] = ("succeeded",)
    options: Mapping[str, Any] = field(default_factory=dict)
    mailed: bool = True
    """Whether its owner may be notified."""

    @property
    def delay(self) -> float:
        """Seconds before it may start."""
        return float(self.options.get("delay", 0))


class Workload:
    """The kinds of jobs by name, each with its share in a thousand."""

    def __init__(self, kinds: Mapping[str, tuple[int, Callable[[Random], SoakJob]]]) -> None:
        """Use these kinds."""
        self._kinds = kinds

    def choose(self, random: Random, names: Sequence[str] = ()) -> SoakJob:
        """Generate a job of any kind by its share, or of one of these kinds."""
        among = names or tuple(self._kinds)
        [name] = random.choices(among, [1 if names else self._kinds[each][0] for each in among])
        return self._kinds[name][1](random)


def _sum(random: Random) -> SoakJob:
    value, other = random.randrange(10**9), random.randrange(10**9)
    return SoakJob("sum", {"value": value, "other": other}, value + other)


def _later(random: Random) -> SoakJob:
    value = random.randrange(10**9)
    return SoakJob("sub", {"value": value, "other": 1}, value - 1, options={"delay": round(random.uniform(0.2, 3), 2)})


def _primes(random: Random) -> SoakJob:
    n = random.choice(list(PRIMES))
    return SoakJob("primes", {"n": n}, PRIMES[n])


def _dwell(random: Random) -> SoakJob:
    return SoakJob("dwell", {"seconds": round(random.uniform(0.02, 0.1), 3)}, "dwelt")


def _nap(random: Random) -> SoakJob:
    return SoakJob("nap", {"seconds": round(random.uniform(0.05, 1), 2)}, "rested")


def _chat(random: Random) -> SoakJob:
    lines = random.randint(1, 20)
    return SoakJob("chat", {"lines": lines}, lines)


def _stumble(_: Random) -> SoakJob:
    # one in 32 fails in all five attempts
    return SoakJob("stumble", {}, "stood up", ends=("succeeded", "failed"), mailed=False)


def _doomed(_: Random) -> SoakJob:
    return SoakJob("doomed", {}, ends=("failed",), mailed=False)


def _vanish(_: Random) -> SoakJob:
    return SoakJob("vanish", {}, ends=("failed",))


def _overtime(_: Random) -> SoakJob:
    return SoakJob("dwell", {"seconds": 20}, ends=("failed",), options={"timeout": 0.3, "max_attempts": 1})


def _called_off(random: Random) -> SoakJob:
    delay = {"delay": 30} if random.random() < 0.5 else {}
    return SoakJob("nap", {"seconds": 30}, ends=("cancelled",), options=delay)


WORKLOAD = Workload(
    {
        "sum": (550, _sum),
        "later": (60, _later),
        "primes": (80, _primes),
        "dwell": (50, _dwell),
        "nap": (150, _nap),
        "chat": (60, _chat),
        "stumble": (40, _stumble),
        "doomed": (6, _doomed),
        "vanish": (2, _vanish),
        "overtime": (2, _overtime),
        "called off": (0, _called_off),
    }
)
