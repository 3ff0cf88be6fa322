"""Measures how long the jobs of a worker that was hit waited for their next start."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chaos.fault_injector import InjectedFault
from chaos.observer import HeldJobs, Observations, StatusChange
from chaos.workload import PlannedJob


@dataclass(frozen=True)
class Recovery:
    """One job that moved to another worker: how long that took (s), and whether the store was down meanwhile."""

    job_id: str
    seconds: float
    hit: InjectedFault
    outage: bool


def recoveries(
    observations: Observations, ids: Mapping[str, PlannedJob], injected: Sequence[InjectedFault], store_back: float
) -> list[Recovery]:
    """Measure the time from each fault to the next start of each job that the worker held and did not finish itself."""
    outages = [each for each in injected if each.fault.kind == "valkey"]
    found: dict[tuple[str, float], Recovery] = {}
    for held in observations.held_jobs:
        for job_id in held.ids:
            if (job := ids.get(job_id)) is None or (_is_child(held) and job.body["operation"] == "stumble"):
                continue
            if repeated := _again(observations.steps.get(job_id, ()), held.injected.at):
                hit = held.injected
                outage = any(each.at < repeated and each.until + store_back > hit.at for each in outages)
                # a job that was hit twice before its restart counts from the first fault
                found.setdefault((job_id, repeated), Recovery(job_id, repeated - hit.at, hit, outage))
    return list(found.values())


def waits(observations: Observations) -> list[float]:
    """Return how long jobs waited in the queue before each start (s)."""
    found = []
    for steps in observations.steps.values():
        for before, after in pairwise(steps):
            if before.status == "accepted" and after.status == "running":
                found.append(after.at - before.at)
    return found


def _again(steps: Iterable[StatusChange], hit: float) -> float | None:
    """Return when the job was next started, or when it ended without attempts left; None if its worker finished it."""
    after = [step for step in steps if step.at >= hit]
    if not after or after[0].status not in {"accepted", "retrying", "failed", "cancelled"}:
        return None
    return next((step.at for step in after if step.status == "running"), after[-1].at)


def _is_child(held: HeldJobs) -> bool:
    return held.injected.pid != held.injected.owner


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
