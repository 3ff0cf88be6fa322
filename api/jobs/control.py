"""Cancels a job, runs it again, deletes it: `POST /jobs/{id}/cancel`, `POST /jobs/{id}/retry`, `DELETE /jobs/{id}`.

The store decides which changes a status allows: `errand/store/control.py`.
"""

from collections.abc import Callable
from typing import Final

from flask import Blueprint, request

from api.checks import idempotency
from api.context import current_errand, job_record
from api.http.answer import Answer, no_content
from api.http.body import read_optional_body
from api.http.form_values import ENDED_JOB, WAITING_JOB
from api.http.preconditions import are_given, check, while_unchanged
from api.http.specs import documented
from api.jobs.replay_specs import NOT_RETRYABLE, RETRY_SPEC
from api.jobs.replays import replay
from api.jobs.show import etag_of, report_answer
from api.jobs.specs import control_spec
from errand.errors import JobUnknown, MoveRefused
from errand.store import ControlResult
from errand.store.control import ANY_STATE
from schemas.jobs import ID
from schemas.replays import ReplayRequest

control = Blueprint("control", __name__)

ALREADY_ENDED: Final = "The job has already ended (%s), so there is nothing to cancel."
NOT_ENDED: Final = "The job's status is `%s`; cancel the job first, or wait until it has ended."


@control.post("/jobs/<job:job_id>/cancel")
@documented(
    "cancelJob",
    tags=["jobs"],
    **control_spec(WAITING_JOB, "The job is cancelled, or will be within a second.", ALREADY_ENDED % "succeeded"),
)
def cancel(job_id: str) -> Answer:
    """Cancel a job

    A waiting job is cancelled at once. A running job is stopped by its worker within a second; until then its status
    stays `running`. Repeating the request does no harm.
    """
    errand = current_errand()
    done = unless_refused(if_as_seen(job_id, errand.store.cancel), ALREADY_ENDED)
    for service in done.to_tell:
        errand.relay.ring(job_id, service)
    return report_answer(job_record(job_id), 202)


@control.post("/jobs/<job:job_id>/retry")
@documented("retryJob", tags=["jobs"], **RETRY_SPEC)
def retry(job_id: str) -> Answer:
    """Run a job again

    Without `arguments`, a failed or cancelled job runs again with all its attempts; its deadline no longer applies.
    With `arguments`, the job stays as it is (it may also have succeeded), and a replay is accepted: a new job that
    copies everything from its origin except delay, deadline and key, with the sent arguments replacing the origin's.
    The replay's `origin` names the job it comes from, whose `replays` name the replay; `GET /jobs?tag=origin:{id}`
    lists all of them. A job that has been replayed can be run again, or replayed once more: this request names it.
    """
    body = read_optional_body(ReplayRequest)
    if body.arguments is not None:
        return replay(job_id, body, body.arguments)
    idempotency.sent_key()  # an invalid key is refused, whether or not it is used
    errand = current_errand()
    done = unless_refused(if_as_seen(job_id, errand.store.retry), NOT_RETRYABLE)
    errand.relay.ring(job_id, done.queue)
    return report_answer(job_record(job_id), 202, {"Location": f"{request.root_path}/jobs/{job_id}"})


@control.delete("/jobs/<job:job_id>")
@documented(
    "deleteJob",
    tags=["jobs"],
    **control_spec(ENDED_JOB, "", NOT_ENDED % "running", {"204": {"description": "The job is deleted."}}),
)
def delete(job_id: str) -> Answer:
    """Delete a finished job

    The result is deleted too. Notifications that are still pending are sent.
    """
    unless_refused(if_as_seen(job_id, current_errand().store.delete), NOT_ENDED)
    return no_content()


def checked_id(job_id: str) -> str:
    """Return the id if it has the form of one. Raises JobUnknown."""
    if not ID.fullmatch(job_id):
        raise JobUnknown()
    return job_id


def if_as_seen(job_id: str, change: Callable[[str, str], ControlResult]) -> ControlResult:
    """Change a job for which the request's preconditions hold. Raises JobUnknown, PreconditionFailed."""
    known = checked_id(job_id)

    def seen() -> str:
        if not are_given():
            return ANY_STATE
        record = job_record(known)
        check(etag_of(record))
        return record.state

    def changed(state: str) -> ControlResult | None:
        done = change(known, state)
        return None if done.reply == "changed" else done

    return while_unchanged(seen, changed)


def unless_refused(done: ControlResult, refusal: str) -> ControlResult:
    """Return `done` if the store did it. Raises JobUnknown, or MoveRefused with `refusal` for the job's status."""
    if done.reply == "unknown":
        raise JobUnknown()
    if done.reply == "refused":
        raise MoveRefused(refusal % done.status)
    return done
