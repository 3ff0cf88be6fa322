"""Generates the jobs of a run from its seed, each with its expected outcome.

Next: `clients.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from chaos.plan import ChaosPlan

PRIMES = {10_000: 1229, 1_000_000: 78_498, 10_000_000: 664_579}
DOMAIN = "owner.test"


@dataclass(frozen=True)
class PlannedJob:
    """One job: its body, the time of its submission (s from the start), its expected status, and result or error."""

    mark: str
    """Its Idempotency-Key, and the name of the file of its executions."""
    at: float
    body: dict[str, Any]
    ends: str
    answer: Any
    cancel_after: float | None = None
    has_webhook: bool = False
    """Whether it has a webhook."""

    @property
    def has_mail(self) -> bool:
        """Return whether it has a mail address."""
        return "email" in self.body


def planned_jobs(plan: ChaosPlan) -> list[PlannedJob]:
    """Generate all jobs of a run, in the order of their times."""
    random = Random(f"jobs {plan.seed}")
    kinds, weights = zip(*_KINDS.items(), strict=True)
    made = []
    for number in range(plan.jobs):
        [kind] = random.choices(kinds, weights)
        mark = f"{plan.seed}-{number:06d}"
        operation, arguments, ends, answer, options = kind(random)
        cancel_after = options.pop("cancel_after", None)
        body = {"operation": operation, "arguments": {"mark": mark, **arguments}, **options}
        if random.random() < 0.5:
            body["email"] = f"job-{mark}@{DOMAIN}"
        if (priority := random.choice(["low", "normal", "normal", "normal", "high"])) != "normal":
            body["priority"] = priority
        has_webhook = random.random() < 0.5
        made.append(PlannedJob(mark, number * plan.seconds / plan.jobs, body, ends, answer, cancel_after, has_webhook))
    return made


Made = tuple[str, dict[str, Any], str, Any, dict[str, Any]]


def _tally(random: Random) -> Made:
    value, other = random.randrange(10**9), random.randrange(10**9)
    return "tally", {"value": value, "other": other}, "succeeded", value + other, {}


def _schedule(random: Random) -> Made:
    operation, arguments, ends, answer, _ = _tally(random)
    return operation, arguments, ends, answer, {"delay": round(random.uniform(0.5, 5), 2)}


def _sieve(random: Random) -> Made:
    n = random.choice(list(PRIMES))
    return "sieve", {"n": n}, "succeeded", PRIMES[n], {}


def _dwell(random: Random) -> Made:
    return "dwell", {"seconds": round(random.uniform(0.1, 0.5), 2)}, "succeeded", "dwelt", {}


def _long(random: Random) -> Made:
    operation, result = random.choice([("nap", "rested"), ("nap", "rested"), ("nap", "rested"), ("dwell", "dwelt")])
    return operation, {"seconds": round(random.uniform(2, 8), 2)}, "succeeded", result, {}


def _nap(random: Random) -> Made:
    return "nap", {"seconds": round(random.uniform(0.1, 3), 2)}, "succeeded", "rested", {}


def _stumble(random: Random) -> Made:
    return "stumble", {"times": random.randint(1, 2)}, "succeeded", "stood up", {}


def _doomed(_: Random) -> Made:
    return "doomed", {}, "failed", "ValueError", {}


def _called_off(random: Random) -> Made:
    options = {"delay": 30} if random.random() < 0.3 else {}
    after = round(random.uniform(0, 2), 2)
    return "nap", {"seconds": 30}, "cancelled", "Cancelled", {**options, "cancel_after": after}


_KINDS: dict[Callable[[Random], Made], int] = {
    _tally: 35,
    _schedule: 5,
    _sieve: 12,
    _dwell: 12,
    _nap: 15,
    _long: 8,
    _stumble: 7,
    _doomed: 3,
    _called_off: 3,
}
"""Shares of the kinds of jobs, in percent."""
