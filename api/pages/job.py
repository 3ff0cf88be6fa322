"""The page of a job, behind the link in its mails: `GET /view/{token}`, its events and its files.

Anybody with the link can read this one job, and nothing else. Next: `view_model.py`.
"""

from collections.abc import Iterable
from typing import Final, cast

from flask import Blueprint, request

from api.context import current_errand, job_record
from api.events.views import watch_job
from api.http import content_policy
from api.http.answer import Answer
from api.http.specs import documented
from api.pages.html import PRIVATE_HEADERS, page_answer, refuse_in_html
from api.pages.result import result_file
from api.pages.specs import DOWNLOAD_SPEC, EVENTS_SPEC, VIEW_SPEC
from api.pages.view_model import view_model_of
from errand.errors import FileUnknown, JobUnknown
from errand.presenting.safe_text import file_stem
from errand.record import JobRecord
from schemas.status import Status

view = Blueprint("view", __name__)
refuse_in_html(view)

FORGOTTEN: Final = "This job is no longer kept: finished jobs are deleted after a while."
SANDBOXED: Final = {**PRIVATE_HEADERS, content_policy.HEADER: content_policy.SANDBOXED}
"""Headers of a file: even if a browser shows it, it runs no script and fetches nothing."""


@view.get("/view/<token>")
@documented("openJobPage", tags=["mail"], **VIEW_SPEC)
def look(token: str) -> Answer:
    """Look at a job by the link in its mail

    Returns a page (HTML): the operation with its arguments, the progress, and the result as a table, picture or text.
    The link is all that is needed.
    """
    link = current_errand().links().opened(token)
    return page_answer(
        "view.html", path=f"{request.root_path}/view/{token}", **view_model_of(link, _record(link.job_id))
    )


@view.get("/view/<token>/events")
@documented("watchJobPage", tags=["mail"], **EVENTS_SPEC)
def watch(token: str) -> Answer:
    """Watch a job by the link in its mail

    Returns the same stream as `GET /jobs/{id}/events`, without the lines of the log. The page uses it to stay up to
    date.
    """
    answer = watch_job(current_errand().links().job_of(token))
    answer.headers.update(PRIVATE_HEADERS | {"Cache-Control": answer.headers.get("Cache-Control", "no-cache")})
    if request.method == "GET":
        parts = cast(Iterable[bytes], answer.response)  # each part is one event
        answer.response = (part for part in parts if b"\nevent: log\n" not in part)
    return answer


@view.get("/view/<token>/<kind>")
@documented("downloadResult", tags=["mail"], **DOWNLOAD_SPEC)
def download(token: str, kind: str) -> Answer:
    """Download a result by the link in its mail

    Returns a table as CSV, a picture in its own format, a text as plain text, and any result as JSON.
    """
    record = _record(current_errand().links().job_of(token))
    done = record.status is Status.SUCCEEDED
    file = result_file(record.result or "null", kind) if done else None
    if file is None:
        raise FileUnknown()
    name = f"{file_stem(record.operation)}.{file.extension}"
    headers = SANDBOXED | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Answer(file.content, headers=headers, content_type=file.media_type)


def _record(job_id: str) -> JobRecord:
    try:
        return job_record(job_id)
    except JobUnknown:
        raise JobUnknown(FORGOTTEN) from None
