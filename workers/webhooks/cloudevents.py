"""What a webhook is sent: the end of a job as a CloudEvent (1.0, structured JSON).

Stands at step 6 of a job's life, between the record that `service.py` reads and the POST that
`workers/outbound/on_hub.py` sends. The same notification is the same event each time it is sent. Next:
`errand/presenting/report.py`, which writes its data.
"""

import json
from typing import Final

from errand.presenting.report import members_of, moment, written
from errand.record import JobRecord
from errand.settings import Settings
from errand.store import DueJobNotification

CONTENT_TYPE: Final = "application/cloudevents+json"
LONGEST: Final = 262_144
"""Bytes of arguments, or of a result, that are sent along; of longer ones the event names the job, which has them."""
SOURCE: Final = "/errand"
"""Where events come from when PUBLIC_URL is not set."""


def event_id(notice: DueJobNotification) -> str:
    """Name the event: for receivers to see that they had it before. No full stop, which separates what is signed."""
    return f"{notice.id}-{notice.name}"


def event_of(notice: DueJobNotification, settings: Settings) -> bytes:
    """Write the event."""
    record = _as_it_ended(notice)
    # with an ending of its own, a result that was left out is that of a later run
    omitted = [name for name in record.omitted if not (notice.ending and name == "result")]
    data = members_of(record) | {"omitted": json.dumps(omitted)}
    event = {
        "specversion": '"1.0"',
        "id": json.dumps(event_id(notice)),
        "source": json.dumps(settings.public_url.rstrip("/") or SOURCE),
        "type": json.dumps(f"errand.job.{record.status}"),
        "subject": json.dumps(notice.id),
        "time": json.dumps(moment(record.finished_at or notice.since)),
        "datacontenttype": '"application/json"',
        "data": written(data).rstrip(),
    }
    return written(event).rstrip().encode()


def _as_it_ended(notice: DueJobNotification) -> JobRecord:
    """Return the record with the end that is told of: the job may have been run again since."""
    record, ending = notice.record, notice.ending
    if ending is None:
        return record
    if record.retries != ending.run:  # these are another run's
        record = record._replace(
            result=None, progress=None, run_at=None, deadline=None, started_at=None, expires_at=None
        )
    return record._replace(
        status=ending.status,
        error=ending.error,
        attempt=ending.attempt,
        finished_at=ending.finished_at,
        started_at=ending.started_at or record.started_at,
    )
