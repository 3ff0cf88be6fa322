"""Writes the body of a webhook: the end of a job as a CloudEvent (1.0, structured JSON).

Step 6 of a job's life. Every attempt to send a notification sends the same event. Next:
`errand/presenting/report.py` writes its data, and `workers/outbound/on_hub.py` posts it.
"""

import json
from typing import Final

from errand.presenting.report import members_of, moment, written
from errand.settings import Settings
from errand.store import DueJobNotification

CONTENT_TYPE: Final = "application/cloudevents+json"
LONGEST: Final = 262_144
"""Maximum bytes of the arguments, or of the result, in an event; longer ones are left out and named in `omitted`."""


def event_id(notice: DueJobNotification) -> str:
    """Return the event's id, by which receivers recognise a repeat. It has no full stop: signatures use that."""
    return f"{notice.id}-{notice.name}"


def event_of(notice: DueJobNotification, settings: Settings) -> bytes:
    """Return the event as JSON."""
    record = notice.record_at_end
    # where the notification has its own ending, an omitted result belongs to a later run
    omitted = [name for name in record.omitted if not (notice.ending and name == "result")]
    data = members_of(record, settings.public_path) | {"omitted": json.dumps(omitted)}
    event = {
        "specversion": '"1.0"',
        "id": json.dumps(event_id(notice)),
        "source": json.dumps(settings.base_url),
        "type": json.dumps(f"errand.job.{record.status}"),
        "subject": json.dumps(notice.id),
        "time": json.dumps(moment(record.finished_at or notice.since)),
        "datacontenttype": '"application/json"',
        "data": written(data).rstrip(),
    }
    return written(event).rstrip().encode()
