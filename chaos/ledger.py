"""Compares what clients were told with what was stored, observed, executed, mailed and sent to the receiver.

Next: `notifications.py`, for mails and webhooks; `report.py`, which prints the ledger.
"""

import json

from chaos import notifications
from chaos.evidence import Evidence, Ledger
from chaos.workload import PlannedJob
from errand.record import JobRecord
from schemas.status import FINAL

DEATHS = ("WorkerDied", "ChildDied")
"""Errors of jobs whose attempts were all ended by faults."""


def reconcile(evidence: Evidence) -> Ledger:
    """Compare everything and fill a ledger."""
    ledger = Ledger(accepted=len(evidence.results.ids))
    ledger.wrong += [f"{mark}: two ids for one key" for mark in evidence.results.contradictions]
    ledger.wrong += [f"{mark}: never accepted" for mark in evidence.results.gave_up]
    for job in evidence.planned_jobs:
        if job_id := evidence.results.ids.get(job.mark):
            _job(ledger, job, job_id, evidence)
    stored = set(evidence.store.client.zrange(evidence.store.keys.jobs, 0, -1))  # type: ignore[arg-type]  # not awaited
    ledger.unreported = sorted(stored - set(evidence.results.ids.values()))
    notifications.mails(ledger, evidence)
    notifications.webhooks(ledger, evidence)
    return ledger


def _job(ledger: Ledger, job: PlannedJob, job_id: str, evidence: Evidence) -> None:
    record = evidence.store.get(job_id)
    name = f"{job_id} ({job.body['operation']} {job.mark})"
    if record is None:
        ledger.lost.append(name)
        return
    ledger.statuses[record.status] += 1
    finals = evidence.observations.finals(job_id)
    if record.status not in FINAL:
        ledger.unfinished.append(f"{name}: {record.status}")
    elif len(finals) > 1:
        ledger.twice.append(f"{name}: {[(step.at, step.status) for step in finals]}")
    elif not finals or finals[0].status != record.status:
        ledger.wrong.append(f"{name}: {record.status}, but seen as {[step.status for step in finals]}")
    else:
        _ending(ledger, job, name, record)
    _runs(ledger, job, name, job_id, evidence)


def _ending(ledger: Ledger, job: PlannedJob, name: str, record: JobRecord) -> None:
    status = record.status
    if status == "succeeded":
        expected = "rested" if job.cancel_after is not None else job.answer
        if json.loads(record.result or "null") != expected:
            ledger.wrong.append(f"{name}: {record.result} instead of {expected}")
    else:
        error = json.loads(record.error or "null")
        if status == "failed" and error["type"] in DEATHS and record.attempt == record.max_attempts:
            ledger.died.append(f"{name}: {error['message']}")
        elif (status, error["type"]) != (job.ends, job.answer):
            ledger.wrong.append(f"{name}: {status} with {error}")


def _runs(ledger: Ledger, job: PlannedJob, name: str, job_id: str, evidence: Evidence) -> None:
    file = evidence.executions / job.mark
    times = file.read_text("utf-8").splitlines() if file.exists() else []
    starts = [step for step in evidence.observations.steps.get(job_id, ()) if step.status == "running"]
    ledger.starts += len(starts)
    ledger.executions += len(times)
    if len(times) > 1 and job.body["operation"] != "stumble":
        ledger.repeated += 1
    times_queued = sum(step.status == "accepted" for step in evidence.observations.steps.get(job_id, ()))
    if 0 < (more := len(times) - len(starts)) <= times_queued and job.body["operation"] == "tally":
        ledger.offered += more  # each time a tiny job is queued, a worker may execute it and lose the claim
    elif more > 0:
        ledger.unexplained.append(f"{name}: executed at {times}, started at {[step.at for step in starts]}")
