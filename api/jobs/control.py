"""What a client may do to a job that was accepted: cancel it, run it again, delete it.

Stands beside the whole life of a job; the store knows which status allows what. Next: `errand/store/control.py`.
"""

from typing import Final

from flask import Blueprint

from api.checks import idempotency
from api.context import found, here
from api.http.answer import Answer
from api.http.body import read_optional_body
from api.http.specs import documented
from api.jobs.replay_specs import NOT_RETRYABLE, RETRY_SPEC
from api.jobs.replays import replay
from api.jobs.show import report_answer
from api.jobs.specs import control_spec
from errand.errors import JobUnknown, MoveRefused
from errand.store import ControlResult
from schemas.jobs import ID
from schemas.replays import ReplayRequest

control = Blueprint("control", __name__)

ALREADY_ENDED: Final = "The job has ended already (%s), so there is nothing to cancel."
NOT_ENDED: Final = "The job is %s; cancel it first, or wait until it has ended."


@control.post("/jobs/<job_id>/cancel")
@documented(tags=["jobs"], **control_spec("It is called off, or will be within a second.", ALREADY_ENDED % "succeeded"))
def cancel(job_id: str) -> Answer:
    """Cancel a job

    A job that waits is cancelled at once. One that runs is stopped by its worker within a second; until then its status
    stays `running`. Asking again does no harm.
    """
    errand = here()
    done = unless_refused(errand.store.cancel(checked_id(job_id), errand.settings.result_ttl), ALREADY_ENDED)
    for service in done.to_tell:
        errand.relay.ring(job_id, service)
    return report_answer(job_id, found(job_id), 202)


@control.post("/jobs/<job_id>/retry")
@documented(tags=["jobs"], **RETRY_SPEC)
def retry(job_id: str) -> Answer:
    """Run a job again

    A failed or cancelled job gets all its attempts once more. A deadline it had doesn't count any more. With
    `arguments` the job, which may also have succeeded, stays as it is, and a replay is accepted: a new job with its
    origin's arguments but for those that are sent, and all else of it but delay, deadline and key. `origin` names the
    job it comes from, and `GET /jobs?tag=origin:{id}` lists a job's replays.
    """
    body = read_optional_body(ReplayRequest)
    if body.arguments is not None:
        return replay(job_id, body, body.arguments)
    idempotency.sent_key()  # one that can be none is refused everywhere
    errand = here()
    done = unless_refused(errand.store.retry(checked_id(job_id)), NOT_RETRYABLE)
    errand.relay.ring(job_id, done.queue)
    return report_answer(job_id, found(job_id), 202, {"Location": f"/jobs/{job_id}"})


@control.delete("/jobs/<job:job_id>")
@documented(tags=["jobs"], **control_spec("", NOT_ENDED % "running", {"204": {"description": "It is gone."}}))
def delete(job_id: str) -> Answer:
    """Delete a finished job

    Its result goes with it. Whoever is still to be told of it is told.
    """
    unless_refused(here().store.delete(checked_id(job_id)), NOT_ENDED)
    answer = Answer(status=204)
    del answer.headers["Content-Type"]  # of nothing
    return answer


def checked_id(job_id: str) -> str:
    """Give the id back if it can be one; raise JobUnknown."""
    if not ID.fullmatch(job_id):
        raise JobUnknown()
    return job_id


def unless_refused(done: ControlResult, refusal: str) -> ControlResult:
    """Give back what was done; raise JobUnknown, or MoveRefused with the sentence for the job's status."""
    if done.reply == "unknown":
        raise JobUnknown()
    if done.reply == "refused":
        raise MoveRefused(refusal % done.status)
    return done
