"""A schedule: what a client asks to have run again and again, and what it is told about it.

Stands before step 1 of the jobs that nobody posts: `api/schedules/views.py` reads a `ScheduleRequest` and answers
with a `Schedule`. Next: `requests.py`, for what a schedule has in common with a job.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from schemas.jobs import JobId, Links, Moment
from schemas.priority import Priority
from schemas.recipients import Notify
from schemas.requests import YEAR, Named, Work

NAME_PATTERN: Final = r"^[A-Za-z0-9._-]{1,64}$"
"""The name of a schedule."""
MAX_CRON: Final = 500
"""Characters of the longest expression."""
CRON_PATTERN: Final = r"^[ \t\r\n]*[0-9A-Za-z*,/#-]+([ \t\r\n]+[0-9A-Za-z*,/#-]+){4}[ \t\r\n]*$"
"""How an expression is written. Which of these are one, `errand/schedules.py` tells: no pattern could that be read."""
MAX_ZONE: Final = 64
"""Characters of the longest name of a time zone."""
ZONE_PATTERN: Final = "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"
"""How the name of a time zone is written; there are some 600 of them."""

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
    str,
    Field(
        max_length=MAX_ZONE,
        description="By whose clocks, as the IANA database names them.",
        examples=["Europe/Berlin"],
        json_schema_extra={"pattern": ZONE_PATTERN},
    ),
]
OverlapWish = Annotated[
    Overlap, Field(description="`skip`: not started while the job before has not ended; the time is let go.")
]


class ScheduleRequest(Work, Named):
    """A job to be run again and again."""

    cron: Cron
    timezone: Zone = "UTC"
    overlap: OverlapWish = "allow"
    deadline: Annotated[
        float | None, Field(gt=0, le=YEAR, description="Seconds after its time when a job isn't started any more.")
    ] = None


class Run(BaseModel):
    """The job a schedule started last."""

    id: JobId
    tick: Annotated[Moment, Field(description="The time it was started for.")]
    links: Links


class ScheduleLinks(BaseModel):
    """Where to go from a schedule; paths on this server."""

    self: Annotated[str, Field(description="This schedule.", examples=["/schedules/nightly"])]
    jobs: Annotated[str, Field(description="The jobs it has started.", examples=["/jobs?tag=schedule:nightly"])]


class Schedule(BaseModel):
    """A schedule, as it stands now."""

    name: Annotated[str, Field(examples=["nightly"])]
    cron: Cron
    timezone: Zone
    operation: str
    arguments: dict[str, Any]
    email: Annotated[str | list[str] | None, Field(description="Who is mailed: one address, or several.")]
    webhook_url: str | None
    notify: Annotated[Notify | None, Field(description="Of what they are told; null: of everything.")]
    timeout: float | None
    max_attempts: Annotated[int | None, Field(description="How often a job is started; null: as its operation says.")]
    priority: Priority
    tags: list[str]
    overlap: OverlapWish
    deadline: float | None
    next: Annotated[
        list[Moment], Field(description="The next five times. One that is past is run as soon as a worker is there.")
    ]
    next_local: Annotated[
        list[str],
        Field(description="The same times on the clocks of the zone.", examples=[["2026-11-21T05:45:00+01:00"]]),
    ]
    last_job: Annotated[Run | None, Field(description="The job it started last; it may be forgotten already.")]
    skipped: Annotated[int, Field(ge=0, description="How many times were let go because the job before still ran.")]
    created_at: Moment
    updated_at: Annotated[Moment, Field(description="When what is to be run, or when, was changed last.")]
    links: ScheduleLinks


class ScheduleList(BaseModel):
    """All schedules, by name."""

    schedules: list[Schedule]
