"""Accepts jobs: `POST /compute` and `POST /jobs`.

`accept` below stores the job, hands its doorbell over, and answers with the id. Next: `api/doorbells/relay.py`, which
rings the doorbell.
"""

from collections.abc import Sequence
from typing import Final

from flask import Blueprint, request
from uuid_utils import uuid7

from api.checks import idempotency
from api.checks.arguments import check_arguments
from api.checks.options import is_delayed, new_job, refuse_contradictory_times, refuse_unknown_timezone
from api.checks.recipients import emails_of, notify_of, refuse_recipients
from api.checks.webhook_url import refuse_webhook
from api.context import Errand, current_errand
from api.events import prefer
from api.http.answer import Answer, json_answer
from api.http.body import read_body
from api.http.specs import documented, json_request
from api.jobs.show import report_answer, wait_for_end
from api.jobs.specs import ACCEPT_RESPONSES, SUBMIT_PARAMETERS
from errand.errors import IdempotencyKeyReused
from errand.store import AcceptResult, NewJob
from schemas.jobs import ACCEPTED_MESSAGE, UNMAILED_MESSAGE
from schemas.operations import COMPUTE, MAIL
from schemas.requests import ComputeRequest, JobRequest, OperationRequest, Request

accepting = Blueprint("accepting", __name__)

EXAMPLE: Final = {"operation": "sum", "value": 30, "other": 10, "email": "name@email.com"}
JOB_EXAMPLE: Final = {"operation": "sum", "arguments": {"value": 30, "other": 10}, "email": "name@email.com"}
REPLAYED: Final = {"Idempotent-Replayed": "true"}

_ACCEPTED: Final = '{"status":"accepted","id":"%s","message":"%s","links":{"self":"%s","events":"%s/events"}}\n'


@accepting.post("/compute")
@documented(
    "compute",
    tags=["jobs"],
    parameters=SUBMIT_PARAMETERS,
    requestBody=json_request(ComputeRequest, EXAMPLE),
    responses=ACCEPT_RESPONSES,
)
def compute() -> Answer:
    """Compute with two numbers

    Accepts a sum, difference, product or quotient of two numbers and answers at once. The result comes by mail and is
    shown by `GET /jobs/{id}`. A division by 0 is accepted, too; its job ends `failed`.
    """
    body = read_body(ComputeRequest)
    arguments = f'{{"value":{body.value!r},"other":{body.other!r}}}'  # Python writes finite numbers as JSON does
    errand = current_errand()
    refuse_unknown_timezone(body)
    refuse_recipients(body, errand.settings)
    job = NewJob(
        str(uuid7()),
        body.operation,
        arguments,
        emails_of(body),
        COMPUTE,
        errand.settings.max_attempts,
        notify=notify_of(body),
        timezone=body.timezone,
    )
    return accept(errand, job, body)


@accepting.post("/jobs")
@documented(
    "submitJob",
    tags=["jobs"],
    parameters=SUBMIT_PARAMETERS,
    requestBody=json_request(JobRequest, JOB_EXAMPLE),
    responses=ACCEPT_RESPONSES,
)
def submit() -> Answer:
    """Submit a job

    Accepts a job of any operation that the workers have announced, and answers at once. The arguments are checked
    against the operation's JSON Schema.
    """
    body = read_body(JobRequest)
    return accept_operation(current_errand().catalogue.find_in_body(body.operation), body)


def accept_operation(operation_text: str, body: OperationRequest) -> Answer:
    """Check the body against a published operation (JSON text), and accept the job."""
    errand = current_errand()
    refuse_contradictory_times(body, again=idempotency.HEADER in request.environ)
    refuse_unknown_timezone(body)
    refuse_recipients(body, errand.settings)
    refuse_webhook(body, errand.settings)
    operation, arguments = check_arguments(operation_text, body.arguments)
    return accept(errand, new_job(operation, arguments, body, errand.settings.max_attempts), body)


def accept(errand: Errand, job: NewJob, body: Request) -> Answer:
    """Store the job, hand over its doorbell, and answer 202; or 200 if the client waits and the job ends in time."""
    if idempotency.HEADER in request.environ:
        job = idempotency.with_key(job, body)
    [verdict] = store_jobs(errand, [job])
    job_id = verdict.id
    path = f"{request.root_path}/jobs/{job_id}"
    headers = {"Location": path, **({} if verdict.kind == "new" else REPLAYED)}
    if prefer.HEADER in request.environ and (seconds := prefer.preferred_wait()) is not None:
        headers |= prefer.applied(seconds)
        if record := wait_for_end(job_id, seconds):
            return report_answer(record, headers=headers)
    return json_answer(_ACCEPTED % (job_id, message_for(errand, job), path, path), 202, headers)


def message_for(errand: Errand, job: NewJob) -> str:
    """Say how the client learns of the result: by mail only if one is sent."""
    is_mailed = job.emails and errand.settings.mail_enabled and (not job.notify or "succeeded" in job.notify)
    return ACCEPTED_MESSAGE if is_mailed else UNMAILED_MESSAGE


def store_jobs(errand: Errand, jobs: Sequence[NewJob]) -> list[AcceptResult]:
    """Store the jobs in one step and ring the doorbells of the new ones. Raises IdempotencyKeyReused."""
    return rung(errand, jobs, errand.group_commit.accept(jobs) if jobs else [])


def rung(errand: Errand, jobs: Sequence[NewJob], verdicts: list[AcceptResult]) -> list[AcceptResult]:
    """Ring the doorbells of the jobs that were stored; return the verdicts. Raises IdempotencyKeyReused."""
    if any(verdict.kind == "conflict" for verdict in verdicts):
        raise IdempotencyKeyReused()
    for job, verdict in zip(jobs, verdicts, strict=True):
        if verdict.kind == "new":
            ring_doorbells(errand, job)
    return verdicts


def ring_doorbells(errand: Errand, job: NewJob) -> None:
    """Hand the relay the job's doorbell, unless it is delayed, and the mail service's if a receipt is due."""
    if not is_delayed(job):
        errand.relay.ring(job.id, job.queue)
    if job.has_receipt and errand.settings.mail_enabled:
        errand.relay.ring(job.id, MAIL)
