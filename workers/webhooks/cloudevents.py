"""What a webhook is sent: the end of a job as a CloudEvent (1.0, structured JSON).

Stands at step 6 of a job's life, between the record that `service.py` reads and the POST that
`workers/outbound/on_hub.py` sends. The same notification is the same event each time it is sent. Next:
`errand/presenting/report.py`, which writes its data.
"""

import json
from typing import Final

from errand.presenting.report import Record, members_of, moment, written
from errand.settings import Settings
from errand.store import DueNotification

CONTENT_TYPE: Final = "application/cloudevents+json"
LONGEST: Final = 262_144
"""Bytes of arguments, or of a result, that are sent along; of longer ones the event names the job, which has them."""
SOURCE: Final = "/errand"
"""Where events come from when PUBLIC_URL is not set."""

_LATER: Final = ("result", "progress", "run_at", "deadline", "started_at", "expires_at")
"""What a record has of another run than the one that is told of."""


def event_id(notice: DueNotification) -> str:
    """Name the event: for receivers to see that they had it before. No full stop, which separates what is signed."""
    return f"{notice.id}-{notice.name}"


def event_of(notice: DueNotification, settings: Settings) -> bytes:
    """Write the event."""
    record = _as_it_ended(notice)
    omitted = json.loads(record.get("omitted", "[]"))
    if notice.ending and "result" in omitted:
        omitted.remove("result")  # that of a later run
    data = members_of(notice.id, record) | {"omitted": json.dumps(omitted)}
    event = {
        "specversion": '"1.0"',
        "id": json.dumps(event_id(notice)),
        "source": json.dumps(settings.public_url.rstrip("/") or SOURCE),
        "type": json.dumps(f"errand.job.{record['status']}"),
        "subject": json.dumps(notice.id),
        "time": json.dumps(moment(int(record["finished_at"]))),
        "datacontenttype": '"application/json"',
        "data": written(data).rstrip(),
    }
    return written(event).rstrip().encode()


def _as_it_ended(notice: DueNotification) -> Record:
    """Give the record with the end that is told of: the job may have been run again since."""
    ending = dict(notice.ending)
    if not ending:
        return notice.record
    same_run = notice.record.get("retries", "0") == ending.pop("run")
    record = {field: text for field, text in notice.record.items() if same_run or field not in _LATER}
    return record | ending
