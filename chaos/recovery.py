"""How long a job of a worker that was hit waited until it was started again.

Stands after a run, beside `ledger.py`. Next: `report.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chaos.saboteur import Done
from chaos.wishes import WantedJob
from chaos.witness import Holding, Seen, Step


@dataclass(frozen=True)
class Recovery:
    """One job that was given to another worker: how long it took (s), and whether the store was away meanwhile."""

    job_id: str
    seconds: float
    hit: Done
    outage: bool


def recoveries(seen: Seen, ids: Mapping[str, WantedJob], done: Sequence[Done], store_back: float) -> list[Recovery]:
    """Measure, from each hit to the next start of each job that the hit worker held and did not end itself."""
    outages = [each for each in done if each.fault.kind == "valkey"]
    found: dict[tuple[str, float], Recovery] = {}
    for holding in seen.holdings:
        for job_id in holding.ids:
            if (wish := ids.get(job_id)) is None or (_is_child(holding) and wish.body["operation"] == "stumble"):
                continue
            if again := _again(seen.steps.get(job_id, ()), holding.done.at):
                hit = holding.done
                outage = any(each.at < again and each.until + store_back > hit.at for each in outages)
                # a job that two hits held in turn counts from the first
                found.setdefault((job_id, again), Recovery(job_id, again - hit.at, hit, outage))
    return list(found.values())


def waits(seen: Seen) -> list[float]:
    """Give for each time that a job lined up how long it waited for its start (s)."""
    found = []
    for steps in seen.steps.values():
        for before, after in pairwise(steps):
            if before.status == "accepted" and after.status == "running":
                found.append(after.at - before.at)
    return found


def _again(steps: Iterable[Step], hit: float) -> float | None:
    """Give when the job was started again, or ended for want of attempts; None where the hit worker ended it itself."""
    after = [step for step in steps if step.at >= hit]
    if not after or after[0].status not in {"accepted", "retrying", "failed", "cancelled"}:
        return None
    return next((step.at for step in after if step.status == "running"), after[-1].at)


def _is_child(holding: Holding) -> bool:
    return holding.done.pid != holding.done.owner


def at_share(values: Sequence[float], share: float) -> float:
    """Give the value below which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
