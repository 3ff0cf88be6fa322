"""What runs jobs again that have ended: as they are, or as replays with other arguments, and what came of many.

Stands at the end of a job's life, and at the beginning of its replay's: `api/jobs/control.py` and
`api/jobs/replays.py` read and answer it. Next: `jobs.py`.
"""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.jobs import JobId
from schemas.problems import Problem
from schemas.requests import Request

MOST_RETRIED: Final = 1000
"""Jobs that one request runs again."""


class ReplayRequest(Request):
    """Nothing, to run jobs again as they are; or arguments, to have new jobs with these in place of their own."""

    arguments: Annotated[
        dict[str, Any] | None,
        Field(description="Arguments that replace those of the same name; the others stay as they were."),
    ] = None


class RefusedReplay(BaseModel):
    """A job that was not replayed."""

    id: JobId
    error: Problem


class Retried(BaseModel):
    """What became of the jobs of one request."""

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

    retried: Annotated[int, Field(ge=0, description="How many jobs run again, or are replayed.")]
    jobs: Annotated[
        list[JobId], Field(description="Their ids, the oldest first; with `arguments`, those of the replays.")
    ]
    rejected: Annotated[
        list[RefusedReplay], Field(description="Jobs that can't be replayed with these arguments, and why not.")
    ]
    next: Annotated[
        str | None, Field(description="The `cursor` of the request that goes on from here; null: that was all.")
    ]
