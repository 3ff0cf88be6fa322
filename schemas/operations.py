"""An operation as the workers publish it: what it computes, what it takes and gives, within which limits.

Stands before step 1 of a job's life: workers write it into the store's catalogue, the API checks `arguments` by it
(`api/checks/arguments.py`) and documents it. Next: `requests.py`.
"""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

COMPUTE: Final = "compute"
"""The service whose operations come with Errand."""


class Weight(StrEnum):
    """How an operation runs, and thereby in which queue its jobs wait."""

    TINY = "tiny"
    """Well under a millisecond: inside the worker itself."""
    CPU = "cpu"
    """In a child process, one at a time in each."""
    IO = "io"
    """It waits for others most of the time: many at a time in one child process."""


def queue_of(service: str, weight: Weight) -> str:
    """Name the queue in which jobs of this weight wait for `service`: the service's own for tiny ones."""
    return service if weight is Weight.TINY else f"{service}.{weight.value}"


def is_tiny(queue: str) -> bool:
    """Tell whether tiny jobs wait in this queue."""
    return not queue.endswith(tuple(f".{weight.value}" for weight in Weight if weight is not Weight.TINY))


class Example(BaseModel):
    """One call of the operation and what comes out."""

    model_config = ConfigDict(extra="ignore")

    arguments: dict[str, Any]
    result: Any = None


class Limits(BaseModel):
    """How far one attempt may go; null: the default of the workers' settings."""

    model_config = ConfigDict(extra="ignore")

    timeout: Annotated[float | None, Field(gt=0, description="Seconds one attempt may take.")] = None
    memory: Annotated[int | None, Field(gt=0, description="Bytes one attempt may use.")] = None
    max_attempts: Annotated[int | None, Field(ge=1, le=100, description="Attempts before the job is failed.")] = None
    backoff: Annotated[
        float | None, Field(gt=0, description="Seconds before the second attempt, doubled for each further one.")
    ] = None


class Operation(BaseModel):
    """One operation of the catalogue."""

    # An API may be older than the workers whose catalogue it reads: what it does not know it leaves alone.
    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    summary: Annotated[str, Field(description="What it computes, in one sentence.")] = ""
    description: Annotated[str, Field(description="What else there is to know.")] = ""
    service: Annotated[str, Field(description="The worker service that runs it.")] = COMPUTE
    tiny: Annotated[bool, Field(description="Whether it is quick enough to run inside the worker itself.")] = False
    io: Annotated[bool, Field(description="Whether it waits most of the time, so that many run at a time.")] = False
    arguments: Annotated[dict[str, Any], Field(description="JSON Schema (2020-12) of the arguments, an object.")]
    result: Annotated[dict[str, Any], Field(description="JSON Schema (2020-12) of the result.")] = {}
    examples: list[Example] = []
    limits: Limits = Limits()

    @property
    def weight(self) -> Weight:
        """How it runs."""
        return Weight.TINY if self.tiny else Weight.IO if self.io else Weight.CPU

    @property
    def queue(self) -> str:
        """The queue in which its jobs wait."""
        return queue_of(self.service, self.weight)


class Operations(BaseModel):
    """The catalogue: all operations, by name."""

    operations: list[Operation]
