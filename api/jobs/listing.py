"""Lists jobs, newest first: `GET /jobs`.

Stands beside the whole life of a job. Next: `errand/store/listing.py`, which finds them.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

from flask import Blueprint, request

from api.http.answer import Answer, answer
from api.http.specs import documented
from api.jobs.show import CACHING
from api.jobs.specs import CURSOR_PATTERN, LISTING, MOST_ROWS, USUAL_ROWS
from api.ports import here
from errand.errors import ParameterRefused
from errand.presenting.report import summary_of, written
from schemas.requests import MAX_NAME, TAG_PATTERN
from schemas.status import Status

listing = Blueprint("listing", __name__)

_WHOLE: Final = re.compile("[1-9][0-9]{0,3}")
_TAG: Final = re.compile(TAG_PATTERN.strip("^$"))
_CURSOR: Final = re.compile(CURSOR_PATTERN.strip("^$"))

Parameter = tuple[Callable[[str], object], str]
"""The check of a parameter, and what to say to one that fails it."""


def one_of(texts: Collection[str]) -> Parameter:
    """Make the check of a parameter that is one of these."""
    return lambda text: text in texts, f"must be one of {', '.join(texts)}"


def up_to(most: int) -> Parameter:
    """Make the check of a parameter that counts."""
    return lambda text: _WHOLE.fullmatch(text) and int(text) <= most, f"must be a whole number from 1 to {most}"


PARAMETERS: Final[dict[str, Parameter]] = {
    "status": one_of([status.value for status in Status]),
    "operation": (lambda text: 0 < len(text) <= MAX_NAME, f"must be a name of 1 to {MAX_NAME} characters"),
    "tag": (_TAG.fullmatch, f"must match {TAG_PATTERN}"),
    "limit": up_to(MOST_ROWS),
    "cursor": (_CURSOR.fullmatch, "must be the `next` of a page before"),
}


@listing.get("/jobs")
@documented(tags=["jobs"], **LISTING)
def jobs() -> Answer:
    """List jobs

    The newest first, without arguments, results and notifications. `next` is the `cursor` of the page that follows;
    jobs that arrive meanwhile don't move it. A page may be short, or even empty, where several filters meet.
    """
    asked = checked_parameters(PARAMETERS)
    limit = int(asked.pop("limit", USUAL_ROWS))
    page = here().store.page(**asked, limit=limit)
    rows = ",".join(written(summary_of(record["id"], record)).rstrip() for record in page.records)
    following = "null" if page.next is None else f'"{page.next}"'
    return answer(f'{{"jobs":[{rows}],"next":{following}}}\n', 200, {"Cache-Control": CACHING})


def checked_parameters(checks: Mapping[str, Parameter]) -> dict[str, str]:
    """Give the parameters of this request, each by its name; raise ParameterRefused."""
    asked: dict[str, str] = {}
    for name, text in request.args.items(multi=True):
        if name not in checks:
            known = ", ".join(checks)
            raise ParameterRefused(f"`{name[:64]}` is not a known parameter; known are {known}.", parameter=name[:64])
        fits, told = checks[name]
        if name in asked or not fits(text):
            raise ParameterRefused(f"`{name}` {'is given twice' if name in asked else told}.", parameter=name)
        asked[name] = text
    return asked
