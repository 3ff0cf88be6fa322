"""Streams what happens to jobs as Server-Sent Events: `GET /jobs/{id}/events` and `GET /events`.

A stream begins with what `backlog.py` finds in the store and continues with the live events. Next: `backlog.py`.
"""

from contextlib import ExitStack

from flask import Blueprint, request

from api.context import current_errand, job_record
from api.dispatch.long_request_slot import current_slot
from api.events.backlog import event_number, start_of_stream
from api.events.specs import WATCHING, WATCHING_ALL
from api.events.sse import stream, without_stream
from api.events.stream import Stream
from api.feed.broadcaster import order
from api.http.answer import Answer
from api.http.specs import documented
from errand.errors import JobUnknown
from schemas.jobs import ID

streams = Blueprint("streams", __name__)


@streams.get("/jobs/<job:job_id>/events")
@documented("watchJob", tags=["events"], **WATCHING)
def watch_job(job_id: str) -> Answer:
    """Watch a job

    Server-Sent Events: the job's current status, then every change of status, its progress and its log lines as they
    happen. The stream ends after the final status. To resume after a lost connection, send `Last-Event-ID`.
    """
    last = event_number(request.headers.get("Last-Event-ID"))
    errand, slot = current_errand(), current_slot()
    if request.method == "HEAD" or slot is None:
        job_record(job_id)
        return without_stream()
    if not ID.fullmatch(job_id):
        raise JobUnknown()
    with ExitStack() as stack:
        subscription = stack.enter_context(errand.broadcaster.subscribed(job_id))
        start = start_of_stream(errand.store, job_id, last)
        if start.over:
            return Answer(status=204)
        parts = Stream(errand, slot, subscription, start.number, start.known).of_job(start.events)
        return stream(parts, stack.pop_all())


@streams.get("/events")
@documented("watchJobs", tags=["events"], **WATCHING_ALL)
def watch_all() -> Answer:
    """Watch all jobs

    Server-Sent Events: every change of status of every job, its progress and its log lines as they happen, from now
    on or after `Last-Event-ID`. To miss nothing, open the stream first and list the existing jobs then.
    """
    last = event_number(request.headers.get("Last-Event-ID"))
    errand, slot = current_errand(), current_slot()
    if request.method == "HEAD" or slot is None:
        return without_stream()
    with ExitStack() as stack:
        subscription = stack.enter_context(errand.broadcaster.subscribed())
        latest = errand.store.last_event()
        if last is None or order(last) > order(latest):
            parts = Stream(errand, slot, subscription, latest, latest).of_all_from_now()
        else:
            parts = Stream(errand, slot, subscription, latest, last).of_all()
        return stream(parts, stack.pop_all())
