"""An operation as the workers publish it: what it computes, what it takes and gives, within which limits.

Stands before step 1 of a job's life: workers write it into the store's catalogue, the API checks `arguments` by it
(`api/arguments.py`) and documents it. Next: `requests.py`.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Example(BaseModel):
    """One call of the operation and what comes out."""

    model_config = ConfigDict(extra="ignore")

    arguments: dict[str, Any]
    result: Any = None


class Limits(BaseModel):
    """How far one attempt may go; None: the default of the service."""

    model_config = ConfigDict(extra="ignore")

    timeout: Annotated[float | None, Field(gt=0, description="Seconds one attempt may take.")] = None
    memory: Annotated[int | None, Field(gt=0, description="Bytes one attempt may use.")] = None
    max_attempts: Annotated[int | None, Field(ge=1, le=100, description="Attempts before the job is failed.")] = None


class Operation(BaseModel):
    """One operation of the catalogue."""

    # An API may be older than the workers whose catalogue it reads: what it does not know it leaves alone.
    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    summary: Annotated[str, Field(description="What it computes, in one sentence.")] = ""
    service: Annotated[str, Field(description="The worker service that runs it.")] = "compute"
    tiny: Annotated[bool, Field(description="Whether it is quick enough to run inside the worker itself.")] = False
    arguments: Annotated[dict[str, Any], Field(description="JSON Schema (2020-12) of the arguments, an object.")]
    result: Annotated[dict[str, Any], Field(description="JSON Schema (2020-12) of the result.")] = {}
    examples: list[Example] = []
    limits: Limits = Limits()
