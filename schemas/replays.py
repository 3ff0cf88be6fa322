"""Requests that run jobs again after their end: as they are, or as replays with other arguments.

`api/jobs/control.py` and `api/jobs/replays.py` read and answer them. Next: `jobs.py`.
"""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.jobs import JobId
from schemas.problems import Problem
from schemas.requests import Request

MOST_RETRIED: Final = 1000
"""Maximum number of jobs that one request runs again."""


class ReplayRequest(Request):
    """Empty, to run jobs again as they are; or arguments, to make new jobs with these in place of their own."""

    arguments: Annotated[
        dict[str, Any] | None,
        Field(description="Arguments that replace those of the same name; the others stay as they were."),
    ] = None


class RefusedReplay(BaseModel):
    """A job that was not replayed."""

    id: JobId
    error: Problem


class Retried(BaseModel):
    """Result of one such request."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "retried": 1,
                    "jobs": ["019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11"],
                    "rejected": [],
                    "next": "1763700194123456-1763700201987654",
                }
            ]
        }
    )

    retried: Annotated[int, Field(ge=0, description="Number of jobs that run again or are replayed.")]
    jobs: Annotated[
        list[JobId], Field(description="Their ids, the oldest first; with `arguments`, the ids of the replays.")
    ]
    rejected: Annotated[
        list[RefusedReplay], Field(description="Jobs that can't be replayed with these arguments, and why not.")
    ]
    next: Annotated[
        str | None, Field(description="The `cursor` of the request that continues from here; null: no jobs are left.")
    ]
