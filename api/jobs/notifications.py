"""Sends a job's failed notifications again: `POST /jobs/{id}/notifications/retry`."""

from typing import Final

from flask import Blueprint

from api.context import current_errand, job_record
from api.http.answer import Answer
from api.http.specs import documented
from api.jobs.control import checked_id, unless_refused
from api.jobs.show import report_answer
from api.jobs.specs import control_spec

notifications = Blueprint("notifications", __name__)

NOTHING_FAILED: Final = "The job (`%s`) has no failed notification, so there is nothing to send again."


@notifications.post("/jobs/<job:job_id>/notifications/retry")
@documented(tags=["jobs"], **control_spec("The failed notifications are pending again.", NOTHING_FAILED % "succeeded"))
def retry_notifications(job_id: str) -> Answer:
    """Send failed notifications again

    Mails and webhooks that were given up are tried again, for as long as new ones would be. All other notifications
    stay as they are: nothing is sent twice.
    """
    errand = current_errand()
    for service in unless_refused(errand.store.retry_notifications(checked_id(job_id)), NOTHING_FAILED).to_tell:
        errand.relay.ring(job_id, service)
    return report_answer(job_record(job_id), 202)
