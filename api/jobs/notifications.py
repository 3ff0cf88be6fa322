"""Sends a job's failed and waiting notifications now: `POST /jobs/{id}/notifications/retry`."""

from typing import Final

from flask import Blueprint

from api.context import current_errand, job_record
from api.http.answer import Answer
from api.http.form_values import UNHEARD_JOB
from api.http.preconditions import are_given, check
from api.http.specs import documented
from api.jobs.control import checked_id, unless_refused
from api.jobs.show import etag_of, report_answer
from api.jobs.specs import control_spec

notifications = Blueprint("notifications", __name__)

NOTHING_TO_SEND: Final = (
    "The job (`%s`) has no failed notification, and none that waits for another attempt, so there is nothing to send."
)


@notifications.post("/jobs/<job:job_id>/notifications/retry")
@documented(
    "retryNotifications",
    tags=["jobs"],
    **control_spec(UNHEARD_JOB, "The notifications are sent now.", NOTHING_TO_SEND % "succeeded"),
)
def retry_notifications(job_id: str) -> Answer:
    """Send failed and waiting notifications now

    Mails and webhooks that were given up are tried again, for as long as new ones would be. Those that wait for their
    next attempt are tried now, except mails that wait because of MAIL_RATE. All other notifications stay as they are:
    nothing is sent twice.
    """
    errand = current_errand()
    if are_given():
        check(etag_of(job_record(job_id)))
    for service in unless_refused(errand.store.retry_notifications(checked_id(job_id)), NOTHING_TO_SEND).to_tell:
        errand.relay.ring(job_id, service)
    return report_answer(job_record(job_id), 202)
