"""The ledger: what clients were told, beside what is stored, seen, executed, mailed and sent to the receiver.

Stands after a run. Next: `owners.py`, for the mails and webhooks; `report.py`, which prints it.
"""

import json

from chaos import owners
from chaos.evidence import Evidence, Ledger
from chaos.wishes import WantedJob
from errand.record import JobRecord
from schemas.status import FINAL

DEATHS = ("WorkerDied", "ChildDied")
"""Errors of jobs that the faults themselves ended, after all their attempts."""


def settle(evidence: Evidence) -> Ledger:
    """Compare everything."""
    ledger = Ledger(accepted=len(evidence.told.ids))
    ledger.wrong += [f"{mark}: two ids under one key" for mark in evidence.told.contradictions]
    ledger.wrong += [f"{mark}: nobody would take it" for mark in evidence.told.gave_up]
    for wish in evidence.wishes:
        if job_id := evidence.told.ids.get(wish.mark):
            _job(ledger, wish, job_id, evidence)
    stored = set(evidence.store.client.zrange(evidence.store.keys.jobs, 0, -1))  # type: ignore[arg-type]  # not awaited
    ledger.untold = sorted(stored - set(evidence.told.ids.values()))
    owners.mails(ledger, evidence)
    owners.webhooks(ledger, evidence)
    return ledger


def _job(ledger: Ledger, wish: WantedJob, job_id: str, evidence: Evidence) -> None:
    record = evidence.store.get(job_id)
    name = f"{job_id} ({wish.body['operation']} {wish.mark})"
    if record is None:
        ledger.lost.append(name)
        return
    ledger.statuses[record.status] += 1
    finals = evidence.seen.finals(job_id)
    if record.status not in FINAL:
        ledger.unfinished.append(f"{name}: {record.status}")
    elif len(finals) > 1:
        ledger.twice.append(f"{name}: {[(step.at, step.status) for step in finals]}")
    elif not finals or finals[0].status != record.status:
        ledger.wrong.append(f"{name}: {record.status}, but seen as {[step.status for step in finals]}")
    else:
        _ending(ledger, wish, name, record)
    _runs(ledger, wish, name, job_id, evidence)


def _ending(ledger: Ledger, wish: WantedJob, name: str, record: JobRecord) -> None:
    status = record.status
    if status == "succeeded":
        expected = "rested" if wish.cancel_after is not None else wish.answer
        if json.loads(record.result or "null") != expected:
            ledger.wrong.append(f"{name}: {record.result} instead of {expected}")
    else:
        error = json.loads(record.error or "null")
        if status == "failed" and error["type"] in DEATHS and record.attempt == record.max_attempts:
            ledger.died.append(f"{name}: {error['message']}")
        elif (status, error["type"]) != (wish.ends, wish.answer):
            ledger.wrong.append(f"{name}: {status} with {error}")


def _runs(ledger: Ledger, wish: WantedJob, name: str, job_id: str, evidence: Evidence) -> None:
    file = evidence.executions / wish.mark
    times = file.read_text("utf-8").splitlines() if file.exists() else []
    starts = [step for step in evidence.seen.steps.get(job_id, ()) if step.status == "running"]
    ledger.starts += len(starts)
    ledger.executions += len(times)
    if len(times) > 1 and wish.body["operation"] != "stumble":
        ledger.again += 1
    lined_up = sum(step.status == "accepted" for step in evidence.seen.steps.get(job_id, ()))
    if 0 < (more := len(times) - len(starts)) <= lined_up and wish.body["operation"] == "tally":
        ledger.offered += more  # a tiny job is offered each time it is lined up, and another may have claimed it first
    elif more > 0:
        ledger.unexplained.append(f"{name}: executed at {times}, started at {[step.at for step in starts]}")
