"""Lists jobs, newest first: `GET /jobs`. `errand/store/listing.py` finds them."""

import re
from typing import Final

from flask import Blueprint, request

from api.context import current_errand
from api.http.answer import Answer, json_answer
from api.http.query import ParameterCheck, checked_parameters, one_of, up_to
from api.http.specs import documented
from api.jobs.show import CACHE_CONTROL
from api.jobs.specs import CURSOR_PATTERN, DEFAULT_ROWS, LIST_SPEC, MOST_ROWS
from errand.presenting.report import summary_of, written
from schemas.requests import MAX_NAME, TAG_PATTERN
from schemas.status import Status

listing = Blueprint("listing", __name__)

_TAG: Final = re.compile(TAG_PATTERN.strip("^$"))
_CURSOR: Final = re.compile(CURSOR_PATTERN.strip("^$"))


PARAMETERS: Final[dict[str, ParameterCheck]] = {
    "status": one_of([status.value for status in Status]),
    "operation": (lambda text: 0 < len(text) <= MAX_NAME, f"must be a name of 1 to {MAX_NAME} characters"),
    "tag": (_TAG.fullmatch, f"must match {TAG_PATTERN}"),
    "limit": up_to(MOST_ROWS),
    "cursor": (_CURSOR.fullmatch, "must be the `next` of an earlier page"),
}


@listing.get("/jobs")
@documented("listJobs", tags=["jobs"], **LIST_SPEC)
def jobs() -> Answer:
    """List jobs

    Returns the newest jobs first, without arguments, results and notifications. `next` is the `cursor` of the next
    page; jobs that arrive meanwhile don't shift it. With several filters, a page may be short or even empty although
    more pages follow.
    """
    parameters = checked_parameters(PARAMETERS)
    limit = int(parameters.pop("limit", DEFAULT_ROWS))
    page = current_errand().store.page(**parameters, limit=limit)
    root = request.root_path
    rows = ",".join(written(summary_of(record, root)).rstrip() for record in page.records)
    following = "null" if page.next is None else f'"{page.next}"'
    return json_answer(f'{{"jobs":[{rows}],"next":{following}}}\n', 200, {"Cache-Control": CACHE_CONTROL})
