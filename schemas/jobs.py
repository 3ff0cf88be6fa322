"""A job as a client sees it: the answer to an accepted one, the report on one, a page of many.

`api/jobs/submit.py` answers with `Accepted`, `api/jobs/show.py` with `Job`, `api/jobs/listing.py` with `Jobs`. Next:
`notifications.py`.
"""

import re
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.notifications import Notification
from schemas.priority import Priority
from schemas.problems import Problem
from schemas.status import Status

ACCEPTED_MESSAGE = "Please wait the calculation, you'll receive an email with results"
"""Answered if the result is mailed."""
UNMAILED_MESSAGE = "Please wait for the calculation; `links` says where its result will be"
"""Answered if it is not: no address was given, or no mail was asked for."""

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A job's id; the store is not asked for anything else."""

ID_IN_ANY_CASE = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""A job's id as a client may write it: UUIDs are read without regard to case (RFC 9562, 4)."""

_EXAMPLE_ID = "019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11"

JobId = Annotated[str, Field(description="The job's id, a UUID.", examples=[_EXAMPLE_ID])]

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-21T04:43:14.123Z"])]
"""A time as RFC 3339, in UTC, with milliseconds: `2026-11-21T04:43:14.123Z`."""


def canonical_id(text: str) -> str:
    """Return a job's id as the store has it, and any other text unchanged."""
    return text.lower() if ID_IN_ANY_CASE.fullmatch(text) else text


_ROW: Final[dict[str, JsonValue]] = {
    "id": _EXAMPLE_ID,
    "operation": "primes",
    "status": "succeeded",
    "error": None,
    "explanation": None,
    "attempt": 1,
    "max_attempts": 3,
    "priority": "normal",
    "timeout": None,
    "progress": {"progress": 1.0, "message": "78,498 primes below 1,000,000", "eta_seconds": 0.0},
    "tags": ["example"],
    "origin": None,
    "replays": [],
    "created_at": "2026-11-21T04:43:14.123Z",
    "run_at": None,
    "deadline": None,
    "started_at": "2026-11-21T04:43:14.130Z",
    "finished_at": "2026-11-21T04:43:14.381Z",
    "expires_at": "2026-11-22T04:43:14.381Z",
    "links": {
        "self": f"/jobs/{_EXAMPLE_ID}",
        "events": f"/jobs/{_EXAMPLE_ID}/events",
        "log": f"/jobs/{_EXAMPLE_ID}/log",
    },
}
_WHOLE: Final[dict[str, JsonValue]] = {
    "arguments": {"n": 1_000_000},
    "result": 78_498,
    "webhook_url": None,
    "timezone": "Europe/Berlin",
    "position": None,
    "attempts": [
        {
            "number": 1,
            "outcome": "succeeded",
            "started_at": "2026-11-21T04:43:14.130Z",
            "ended_at": "2026-11-21T04:43:14.381Z",
            "worker": "worker-1:4711",
            "error": None,
        }
    ],
    "notifications": [],
}
_REFUSED: Final[dict[str, JsonValue]] = {
    "type": "urn:errand:job-refused",
    "title": "The job was refused",
    "status": 422,
    "detail": "Nothing was stored: correct /jobs/1/arguments/n, then send it again.",
    "errors": [{"pointer": "/jobs/1/arguments/n", "detail": "is missing; it is required"}],
}


class Links(BaseModel):
    """Where to go from here; paths on this server."""

    self: Annotated[str, Field(description="This job.", examples=[f"/jobs/{_EXAMPLE_ID}"])]
    events: Annotated[
        str,
        Field(description="Its changes as they happen (Server-Sent Events).", examples=[f"/jobs/{_EXAMPLE_ID}/events"]),
    ]


class JobLinks(Links):
    """Where to go from a job; paths on this server."""

    log: Annotated[
        str, Field(description="What its operation printed and logged (text).", examples=[f"/jobs/{_EXAMPLE_ID}/log"])
    ]
    origin: Annotated[
        str | None, Field(description="The job of which it is a replay; other jobs have no such link.")
    ] = None
    replays: Annotated[
        str | None, Field(description="The list of its replays; a job that was not replayed has no such link.")
    ] = None


class Accepted(BaseModel):
    """The job is stored and will be run; its result comes later."""

    status: Literal["accepted"]
    id: JobId
    message: Annotated[str, Field(examples=[ACCEPTED_MESSAGE, UNMAILED_MESSAGE])]
    links: Links


class Submitted(BaseModel):
    """One job of a batch that is stored and will be run."""

    id: JobId


class Refused(BaseModel):
    """One job of a batch that was not stored."""

    error: Problem


class Batch(BaseModel):
    """Result of a batch."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"accepted": 1, "rejected": 1, "jobs": [{"id": _EXAMPLE_ID}, {"error": _REFUSED}]}]
        }
    )

    accepted: Annotated[int, Field(ge=0, description="Number of jobs that are stored and will be run.")]
    rejected: Annotated[int, Field(ge=0, description="Number of jobs that were refused.")]
    jobs: Annotated[
        list[Submitted | Refused], Field(description="One entry for each job, in the order of the request.")
    ]


class OperationError(BaseModel):
    """Why the job failed or was cancelled."""

    type: Annotated[str, Field(description="Type of the error, such as `ZeroDivisionError`.")]
    message: str


class Progress(BaseModel):
    """The progress of a job, as its operation reported it last."""

    progress: Annotated[float, Field(ge=0, le=1, description="Fraction that is done.")]
    message: Annotated[str | None, Field(description="What the operation is doing now.")]
    eta_seconds: Annotated[float | None, Field(ge=0, description="Estimated seconds until it is done.")]


class AttemptOutcome(StrEnum):
    """How an attempt ended."""

    RUNNING = "running"
    """It has not ended yet."""
    SUCCEEDED = "succeeded"
    """It has the job's result."""
    FAILED = "failed"
    """Its operation ended with an error. The job may have been tried again."""
    TIMED_OUT = "timed_out"
    """It took longer than it may."""
    WORKER_DIED = "worker_died"
    """Its worker ended, or lost its lease, before the attempt had ended."""
    CANCELLED = "cancelled"
    """The job was cancelled while it ran."""


class Attempt(BaseModel):
    """One attempt of a job. Attempts that a stopping worker handed back don't count and aren't listed."""

    number: Annotated[int, Field(ge=1, description="Its number; it goes on counting when the job is run again.")]
    outcome: AttemptOutcome
    started_at: Moment | None
    ended_at: Moment | None
    worker: Annotated[str | None, Field(description="Machine and process that ran it.", examples=["worker-1:4711"])]
    error: Annotated[OperationError | None, Field(description="What its operation failed with.")]


class Attempts(BaseModel):
    """The attempts of a job, the oldest first."""

    attempts: list[Attempt]


class Summary(BaseModel):
    """The current state of a job, without its arguments, result and notifications."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW]})

    id: JobId
    operation: str
    status: Status
    error: Annotated[
        OperationError | None, Field(description="Why it failed or was cancelled; null in any other status.")
    ]
    explanation: Annotated[
        str | None,
        Field(
            description="The same for people: the error's message if the operation wrote it for them, else a sentence "
            "without details; null in any other status. Mails and the job's page say it, too.",
            examples=["The text has 1002 columns; at most 1000 can be summarised."],
        ),
    ]
    attempt: Annotated[int, Field(ge=0, description="Number of times it was started.")]
    max_attempts: Annotated[
        int, Field(ge=1, description="Maximum number of times it is started; grows each time it is run again by hand.")
    ]
    priority: Priority
    timeout: Annotated[
        float | None, Field(description="Maximum seconds of one attempt; null: the operation's own limit.")
    ]
    progress: Annotated[Progress | None, Field(description="Its progress; null if its operation reports none.")]
    tags: list[str]
    origin: Annotated[
        JobId | None, Field(description="The job of which it is a replay; that job may have been deleted.")
    ]
    replays: Annotated[
        list[JobId],
        Field(
            description="Its replays, the latest 20; they may have been deleted. A replayed job counts as handled: "
            "`POST /jobs/retry` leaves it out, until it is run again by its id."
        ),
    ]
    created_at: Moment
    run_at: Annotated[Moment | None, Field(description="When a delayed job becomes due.")]
    deadline: Annotated[Moment | None, Field(description="Time after which it is not started.")]
    started_at: Moment | None
    finished_at: Moment | None
    expires_at: Annotated[
        Moment | None, Field(description="When a finished job is deleted; the time depends on how it ended.")
    ]
    links: JobLinks


class Job(Summary):
    """The current state of a job."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ROW | _WHOLE]})

    arguments: dict[str, Any]
    result: Annotated[Any, Field(description="Result of the operation; null until the job has succeeded.")]
    webhook_url: Annotated[str | None, Field(description="Address that gets a signed POST when the job has ended.")]
    timezone: Annotated[
        str | None, Field(description="The time zone of the times in its mails and on its page; null: UTC.")
    ]
    position: Annotated[
        int | None, Field(ge=0, description="Number of jobs ahead of it in its queue; null unless it waits in one.")
    ]
    attempts: Annotated[list[Attempt], Field(description="Its attempts, the oldest first; of very many, the latest.")]
    notifications: Annotated[list[Notification], Field(description="Its mails and webhooks, each with its state.")]


class Jobs(BaseModel):
    """A page of the list of jobs, newest first."""

    jobs: list[Summary]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null: this is the last page.")]
