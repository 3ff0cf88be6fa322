"""Has told what failed to be told: `POST /jobs/{id}/notifications/retry`.

Stands at step 6 of a job's life, for clients. Next: `errand/store/control.py`.
"""

from typing import Final

from flask import Blueprint

from api.context import found, here
from api.http.answer import Answer
from api.http.specs import documented
from api.jobs.control import checked_id, unless_refused
from api.jobs.show import report_answer
from api.jobs.specs import control_spec

notifications = Blueprint("notifications", __name__)

NOTHING_FAILED: Final = "The job is %s, and nobody failed to be told so; there is no notification to send again."


@notifications.post("/jobs/<job_id>/notifications/retry")
@documented(tags=["jobs"], **control_spec("They are pending again.", NOTHING_FAILED % "succeeded"))
def retry_notifications(job_id: str) -> Answer:
    """Send failed notifications again

    Mails and webhooks that have failed for good are tried once more, for as long as new ones would be. Others are left
    as they are: what was sent isn't sent twice.
    """
    errand = here()
    for service in unless_refused(errand.store.retell(checked_id(job_id)), NOTHING_FAILED).to_tell:
        errand.relay.ring(job_id, service)
    return report_answer(job_id, found(job_id), 202)
