"""Accepts many jobs in one round trip to the store: `POST /jobs/batch`.

Next: `submit.py`, which accepts a single job and stores these too.
"""

import json
from dataclasses import replace
from typing import Any, Final

from flask import Blueprint

from api.checks import idempotency
from api.checks.arguments import check_arguments
from api.checks.options import new_job, refuse_contradictory_times, refuse_unknown_timezone
from api.checks.recipients import refuse_recipients
from api.checks.webhook_url import refuse_webhook
from api.context import Errand, current_errand
from api.http.answer import Answer, json_answer
from api.http.body import read_json, validated
from api.http.problems import problem_body
from api.http.specs import documented, json_request
from api.jobs.specs import BATCH_SPEC
from api.jobs.submit import REPLAYED, store_jobs
from errand.errors import JobRefused
from errand.store import NewJob
from schemas.requests import BatchRequest, JobRequest

batch = Blueprint("batch", __name__)

MOST_FAULTS_PER_JOB: Final = 5
"""Maximum number of faults in the answer for each job."""
EXAMPLE: Final = {
    "jobs": [
        {"operation": "sum", "arguments": {"value": 30, "other": 10}},
        {"operation": "div", "arguments": {"value": 30, "other": 10}, "priority": "high"},
    ]
}


@batch.post("/jobs/batch")
@documented("submitJobs", tags=["jobs"], requestBody=json_request(BatchRequest, EXAMPLE), **BATCH_SPEC)
def submit_all() -> Answer:
    """Submit up to 1000 jobs

    Each job is checked by itself. A job that can't be run is answered with a problem at its place in the list; all
    other jobs are stored together, in one step.
    """
    items = validated(BatchRequest, read_json()).jobs
    errand, key = current_errand(), idempotency.sent_key()
    rows = [job_or_problem(errand, item, index, again=key is not None) for index, item in enumerate(items)]
    if key is not None:
        rows = with_keys(rows, key, idempotency.fingerprint(items))
    jobs = [row for row in rows if isinstance(row, NewJob)]
    verdicts = store_jobs(errand, jobs)
    ids = iter(verdict.id for verdict in verdicts)
    answers = ",".join(f'{{"id":"{next(ids)}"}}' if isinstance(row, NewJob) else row for row in rows)
    replayed = bool(verdicts) and all(verdict.kind == "replayed" for verdict in verdicts)
    counts = f'"accepted":{len(jobs)},"rejected":{len(rows) - len(jobs)}'
    return json_answer(f'{{{counts},"jobs":[{answers}]}}\n', 202, REPLAYED if replayed else None)


def job_or_problem(errand: Errand, item: Any, index: int, *, again: bool) -> NewJob | str:
    """Make a job of one item of the batch, or the JSON text of its problem. Raises CatalogueEmpty."""
    at = ("jobs", index)
    try:
        body = validated(JobRequest, item, at)
        refuse_contradictory_times(body, at, again=again)
        refuse_unknown_timezone(body, at)
        refuse_recipients(body, errand.settings, at)
        refuse_webhook(body, errand.settings, at)
        text = errand.catalogue.find_in_body(body.operation, (*at, "operation"))
        operation, arguments = check_arguments(text, body.arguments, (*at, "arguments"))
    except JobRefused as refusal:
        refusal.fields["errors"] = refusal.fields["errors"][:MOST_FAULTS_PER_JOB]
        return json.dumps({"error": problem_body(refusal)})
    return new_job(operation, arguments, body, errand.settings.max_attempts)


def with_keys(rows: list[NewJob | str], key: str, fingerprint: str) -> list[NewJob | str]:
    """Derive each job's key from the batch's. The first job gets that key itself, so no other request can use it."""
    keys = (key if index == 0 else f"{key} #{index}" for index in range(len(rows)))  # a client's key has no space
    return [
        replace(row, key=derived, fingerprint=fingerprint) if isinstance(row, NewJob) else row
        for row, derived in zip(rows, keys, strict=True)
    ]
