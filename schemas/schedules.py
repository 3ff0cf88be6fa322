"""A schedule: a job that is run again and again, as a client asks for it and sees it.

`api/schedules/views.py` reads a `ScheduleRequest` and answers with a `Schedule`. Next: `requests.py`, for what a
schedule shares with a job.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from schemas.jobs import JobId, Links, Moment
from schemas.moments import ZoneName
from schemas.priority import Priority
from schemas.recipients import Notify
from schemas.requests import YEAR, Named, Work

NAME_PATTERN: Final = r"^[A-Za-z0-9._-]{1,64}$"
"""The name of a schedule."""
MAX_CRON: Final = 500
"""Maximum characters of an expression."""
CRON_PATTERN: Final = r"^[ \t\r\n]*[0-9A-Za-z*,/#-]+([ \t\r\n]+[0-9A-Za-z*,/#-]+){4}[ \t\r\n]*$"
"""The form of an expression. `errand/schedules.py` checks the rest, for which a pattern would be unreadable."""

Overlap = Literal["allow", "skip"]

Cron = Annotated[
    str,
    Field(
        max_length=MAX_CRON,
        description="Five fields: minute, hour, day of month, month, day of week; `L`, `LW`, `5L`, `MON#2` too.",
        examples=["*/5 * * * *"],
        # for the document only: what is refused is refused with a sentence of its own
        json_schema_extra={"pattern": CRON_PATTERN},
    ),
]
Zone = Annotated[
    ZoneName,
    Field(description="The time zone of its times, and of those in its jobs' mails.", examples=["Europe/Berlin"]),
]
OverlapWish = Annotated[
    Overlap, Field(description="`skip`: a time is skipped if the job before it has not ended.", examples=["skip"])
]


class ScheduleRequest(Work, Named):
    """A job that is run again and again."""

    cron: Cron
    timezone: Zone = "UTC"
    overlap: OverlapWish = "allow"
    deadline: Annotated[
        float | None,
        Field(gt=0, le=YEAR, description="Seconds after its time until which a job may be started.", examples=[3600]),
    ] = None


class Run(BaseModel):
    """The job that a schedule started last."""

    id: JobId
    tick: Annotated[Moment, Field(description="The time for which it was started.")]
    links: Links


class ScheduleLinks(BaseModel):
    """Where to go from a schedule; paths on this server."""

    self: Annotated[str, Field(description="This schedule.", examples=["/schedules/nightly"])]
    jobs: Annotated[str, Field(description="The jobs that it has started.", examples=["/jobs?tag=schedule:nightly"])]


class Schedule(BaseModel):
    """The current state of a schedule."""

    name: Annotated[str, Field(examples=["nightly"])]
    cron: Cron
    timezone: Zone
    operation: str
    arguments: dict[str, Any]
    email: Annotated[
        str | list[str] | None, Field(description="Recipients of its jobs' mails: one address, or several.")
    ]
    webhook_url: str | None
    notify: Annotated[Notify | None, Field(description="Occasions of notifications; null: all of them.")]
    timeout: float | None
    max_attempts: Annotated[
        int | None, Field(description="Maximum number of times a job is started; null: the operation's own limit.")
    ]
    priority: Priority
    tags: list[str]
    overlap: OverlapWish
    deadline: float | None
    next: Annotated[
        list[Moment],
        Field(description="The next five times. A time that has passed is run as soon as a worker is there."),
    ]
    next_local: Annotated[
        list[str],
        Field(description="The same times in its time zone.", examples=[["2026-11-21T05:45:00+01:00"]]),
    ]
    last_job: Annotated[Run | None, Field(description="The job that it started last; that job may have been deleted.")]
    skipped: Annotated[int, Field(ge=0, description="Number of times skipped because the job before had not ended.")]
    created_at: Moment
    updated_at: Annotated[Moment, Field(description="When its definition was changed last.")]
    links: ScheduleLinks


class ScheduleList(BaseModel):
    """All schedules, by name."""

    schedules: list[Schedule]
