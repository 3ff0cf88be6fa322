"""An operation as the workers publish it: its purpose, its arguments and result, its limits.

Workers write it into the store's catalogue; `api/checks/arguments.py` checks arguments by it. Next: `requests.py`.
"""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

COMPUTE: Final = "compute"
"""The service whose operations come with Errand."""
MAIL: Final = "mail"
WEBHOOKS: Final = "webhooks"
RESCUER: Final = "rescuer"
WITHOUT_OPERATIONS: Final = (MAIL, WEBHOOKS, RESCUER)
"""Errand's services that compute nothing, so no operation can name them."""


class Weight(StrEnum):
    """How an operation runs, which also decides in which queue its jobs wait."""

    TINY = "tiny"
    """Takes well under a millisecond: inside the worker itself."""
    CPU = "cpu"
    """In a child process, one at a time in each."""
    IO = "io"
    """Waits most of the time: many at a time in one child process."""


def queue_of(service: str, weight: Weight) -> str:
    """Return the queue in which jobs of this weight wait for `service`: the service's own name for tiny jobs."""
    return service if weight is Weight.TINY else f"{service}.{weight.value}"


def is_tiny(queue: str) -> bool:
    """Return whether this queue is for tiny jobs."""
    return not queue.endswith(tuple(f".{weight.value}" for weight in Weight if weight is not Weight.TINY))


class Example(BaseModel):
    """One call of the operation and its result."""

    model_config = ConfigDict(extra="ignore", json_schema_serialization_defaults_required=True)

    arguments: dict[str, Any]
    result: Any = None


class Limits(BaseModel):
    """Limits of one attempt; null: the default of the workers' settings."""

    model_config = ConfigDict(extra="ignore", json_schema_serialization_defaults_required=True)

    timeout: Annotated[float | None, Field(gt=0, description="Maximum seconds of one attempt.")] = None
    memory: Annotated[int | None, Field(gt=0, description="Maximum bytes of memory of one attempt.")] = None
    max_attempts: Annotated[int | None, Field(ge=1, le=100, description="Attempts after which the job fails.")] = None
    backoff: Annotated[
        float | None, Field(gt=0, description="Seconds before the second attempt, doubled for each further one.")
    ] = None


class Operation(BaseModel):
    """One operation of the catalogue."""

    # An API may be older than the workers whose catalogue it reads, so it ignores fields that it does not know.
    model_config = ConfigDict(extra="ignore", json_schema_serialization_defaults_required=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    summary: Annotated[str, Field(description="What it does, in one sentence.")] = ""
    description: Annotated[str, Field(description="Further details.")] = ""
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
