"""A job as a client sees it: the answer to an accepted one, and the report on one.

Stands at both ends of a job's life: `api/accepting.py` answers with `Accepted`, `api/reports.py` with `Job`. Next:
`notices.py`, for those who are told.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from schemas.notices import Notification
from schemas.status import Status

ACCEPTED_MESSAGE = "Please wait the calculation, you'll receive an email with results"

_EXAMPLE_ID = "019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11"

JobId = Annotated[str, Field(description="The job's id, a UUID.", examples=[_EXAMPLE_ID])]

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-21T04:43:14.123Z"])]
"""A time as RFC 3339, in UTC, with milliseconds: `2026-11-21T04:43:14.123Z`."""


class Links(BaseModel):
    """Where to go from here; paths on this server."""

    self: Annotated[str, Field(description="This job.", examples=[f"/jobs/{_EXAMPLE_ID}"])]
    events: Annotated[
        str,
        Field(description="Its changes as they happen (Server-Sent Events).", examples=[f"/jobs/{_EXAMPLE_ID}/events"]),
    ]


class Accepted(BaseModel):
    """The job is stored and will be run; its result comes later."""

    status: Literal["accepted"]
    id: JobId
    message: Annotated[str, Field(examples=[ACCEPTED_MESSAGE])]
    links: Links


class OperationError(BaseModel):
    """Why the job failed."""

    type: Annotated[str, Field(description="The kind of error, such as `ZeroDivisionError`.")]
    message: str


class Job(BaseModel):
    """A job, as it stands now."""

    id: JobId
    operation: str
    arguments: dict[str, Any]
    status: Status
    result: Annotated[Any, Field(description="What came out; null until the job has succeeded.")]
    error: Annotated[OperationError | None, Field(description="Why it failed; null unless it did.")]
    attempt: Annotated[int, Field(ge=0, description="How often it was started.")]
    max_attempts: Annotated[int, Field(ge=1, description="How often it is started at most.")]
    progress: Annotated[Any, Field(description="How far it has come; null where the operation does not tell.")]
    tags: list[str]
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    expires_at: Annotated[Moment | None, Field(description="When a finished job is forgotten.")]
    notifications: Annotated[list[Notification], Field(description="Who is told what, and how far that has come.")]
    links: Links
