"""Accepts jobs: `POST /compute` and `POST /jobs`.

Steps 1 and 2 of a job's life, in the order of `accept` below: the record is stored, the doorbell is handed over, the
client has the id. Next: `relay.py`, which rings the doorbell.
"""

from typing import Final

from flask import Blueprint
from uuid_utils import uuid7

from api.answers import Answer, answer
from api.arguments import checked
from api.bodies import read_body
from api.ports import here
from api.specs import ACCEPTING, documented, takes
from errand.store import NewJob
from errand.topology import COMPUTE, MAIL
from schemas.jobs import ACCEPTED_MESSAGE
from schemas.requests import ComputeRequest, JobRequest

accepting = Blueprint("accepting", __name__)

EXAMPLE: Final = {"operation": "sum", "value": 30, "other": 10, "email": "name@email.com"}
JOB_EXAMPLE: Final = {"operation": "sum", "arguments": {"value": 30, "other": 10}, "email": "name@email.com"}

_ACCEPTED: Final = (
    '{"status":"accepted","id":"%s","message":"' + ACCEPTED_MESSAGE + '",'
    '"links":{"self":"/jobs/%s","events":"/jobs/%s/events"}}\n'
)


@accepting.post("/compute")
@documented(tags=["jobs"], requestBody=takes(ComputeRequest, EXAMPLE), responses=ACCEPTING)
def compute() -> Answer:
    """Compute with two numbers

    Accepts one sum, difference, product or quotient and answers at once; the result comes by mail and under
    `GET /jobs/{id}`. A division by 0 is accepted too: that job ends `failed`.
    """
    body = read_body(ComputeRequest)
    arguments = f'{{"value":{body.value!r},"other":{body.other!r}}}'  # Python writes finite numbers as JSON does
    return accept(body.operation, arguments, body.email)


@accepting.post("/jobs")
@documented(tags=["jobs"], requestBody=takes(JobRequest, JOB_EXAMPLE), responses=ACCEPTING)
def submit() -> Answer:
    """Submit a job

    Accepts a job of any operation the workers have announced and answers at once. The arguments are checked by the
    JSON Schema which that operation has published.
    """
    body = read_body(JobRequest)
    operation, arguments = checked(here().catalogue.find(body.operation), body.arguments)
    return accept(operation.name, arguments, body.email, operation.service, operation.limits.max_attempts)


def accept(
    operation: str, arguments: str, email: str | None, service: str = COMPUTE, max_attempts: int | None = None
) -> Answer:
    """Store the job, hand over its doorbell (and the mail service's, when a receipt is due), answer 202."""
    errand, job_id = here(), str(uuid7())
    errand.store.accept(
        NewJob(job_id, operation, arguments, email, service, max_attempts or errand.settings.max_attempts)
    )
    errand.relay.ring(job_id, service)
    if email and errand.settings.mail_enabled:
        errand.relay.ring(job_id, MAIL)
    return answer(_ACCEPTED % (job_id, job_id, job_id), 202, {"Location": f"/jobs/{job_id}"})
