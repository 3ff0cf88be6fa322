"""The bodies that a client may send: `POST /compute`, `/jobs`, `/jobs/batch` and `/operations/{name}`.

`api/http/body.py` reads a body into one of these, or refuses it. Next: `problems.py` for the refusal, `jobs.py` for
the answer.
"""

from math import isfinite
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from schemas.moments import Instant, Moment, ZoneName
from schemas.priority import Priority
from schemas.recipients import Notify, Recipients
from schemas.webhooks import WebhookUrl

MAGNITUDE: Final = 10**18
"""Largest magnitude of a number in `POST /compute`; up to here sum, sub and mul of integers are exact."""
MAX_BODY_BYTES: Final = 1_048_576
"""Bytes of the largest body that the API and the services read; decoding more would block an event loop for long."""
MAX_NAME: Final = 200
"""Maximum characters of the name of an operation."""
YEAR: Final = 31_536_000
"""Maximum seconds of a delay."""
MOST_TAGS: Final = 20
"""Maximum number of tags of one job."""
MOST_JOBS: Final = 1000
"""Maximum number of jobs of one batch."""
TAG_PATTERN: Final = r"^[A-Za-z0-9._:@/-]{1,80}$"
"""One tag; long enough for `schedule:` and the longest name of one."""


def _number(value: object) -> int | float:
    """Take an integer or a finite float of the allowed magnitude; a boolean is not a number here, nor is a text."""
    kind = type(value)
    if (kind is int or (kind is float and isfinite(value))) and -MAGNITUDE <= value <= MAGNITUDE:  # type: ignore[operator, arg-type]  # kind tells
        return value  # type: ignore[return-value]  # kind tells
    raise PydanticCustomError("number", "must be a number, without quotes, between -10^18 and 10^18")


def _deadline(value: object) -> Instant | float:
    """Take a moment, or seconds from now; a moment is an Instant afterwards, seconds are a float."""
    if isinstance(value, str):
        try:
            return Instant.parse(value)
        except ValueError:
            pass
    elif type(value) in {int, float} and 0 < value <= YEAR:  # type: ignore[operator]  # its type was asked
        return float(value)  # type: ignore[arg-type]  # its type was asked
    raise PydanticCustomError(
        "deadline",
        "must be a time like 2026-11-21T09:30:00Z (RFC 3339), or seconds from now, more than 0, up to a year",
    )


def _all_different(tags: list[str]) -> list[str]:
    if len(set(tags)) < len(tags):
        raise PydanticCustomError("unique", "must not have a tag twice")
    return tags


Number = Annotated[
    int | float,
    PlainValidator(_number),
    WithJsonSchema({"type": "number", "minimum": -MAGNITUDE, "maximum": MAGNITUDE}),
]

Email = Annotated[
    Recipients | None,
    Field(
        description="Recipients of the receipt and the result: an address, or a list of up to 10.",
        examples=["name@email.com"],
    ),
]

Notified = Annotated[
    Notify | None,
    Field(
        description="Occasions of notifications; all of them by default.", examples=[{"on": ["succeeded", "failed"]}]
    ),
]

TimeZone = Annotated[
    ZoneName | None,
    Field(
        description="The time zone of the times in its mails and on its page; UTC by default.",
        examples=["Europe/Berlin"],
    ),
]

Hook = Annotated[
    WebhookUrl | None,
    Field(
        description="Address that gets a signed POST when the job has ended; docs/webhooks.md says how to receive it."
    ),
]

Deadline = Annotated[
    Instant | float,
    PlainValidator(_deadline),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": YEAR},
                {"type": "string", "format": "date-time"},
            ],
        }
    ),
]

Tag = Annotated[str, StringConstraints(pattern=TAG_PATTERN)]

Tags = Annotated[
    list[Tag], Field(max_length=MOST_TAGS, json_schema_extra={"uniqueItems": True}), AfterValidator(_all_different)
]


class Request(BaseModel):
    """Base of all bodies: values are not converted, and an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class ComputeRequest(Request):
    """One sum, difference, product or quotient of two numbers."""

    operation: Annotated[
        Literal["sum", "sub", "mul", "div"],
        Field(description="`sum` value + other, `sub` value - other, `mul` value * other, `div` value / other."),
    ]
    value: Annotated[Number, Field(description="The first number.", examples=[30])]
    other: Annotated[Number, Field(description="The second number.", examples=[10])]
    email: Email = None
    notify: Notified = None
    timezone: TimeZone = None


class Named(Request):
    """A body that names its operation."""

    operation: Annotated[str, Field(min_length=1, max_length=MAX_NAME, description="Name of the operation.")]


class Work(Request):
    """The arguments and options of a job, except for its times."""

    arguments: Annotated[
        dict[str, Any],
        Field(default_factory=dict, description="Arguments of the operation, by its published JSON Schema."),
    ]
    email: Email = None
    webhook_url: Hook = None
    notify: Notified = None
    timeout: Annotated[
        float | None, Field(ge=0.1, le=86_400, description="Maximum seconds of one attempt.", examples=[60])
    ] = None
    max_attempts: Annotated[
        int | None, Field(ge=1, le=100, description="Maximum number of times it is started.", examples=[5])
    ] = None
    priority: Annotated[
        Priority, Field(description="Jobs of a higher priority are started first.", examples=["high"])
    ] = "normal"
    tags: Annotated[
        Tags, Field(description="Words of your own by which to find the job.", examples=[["customer:42"]])
    ] = []


class OperationRequest(Work):
    """A job of the operation in the path."""

    # `delay` and `run_at` both say when; the API refuses a body that says both
    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "required": ["delay", "run_at"],
                "properties": {"delay": {"type": "number"}, "run_at": {"type": "string"}},
            }
        }
    )

    delay: Annotated[
        float | None,
        Field(
            ge=0, le=YEAR, description="Seconds to wait before it is run; not together with `run_at`.", examples=[30]
        ),
    ] = None
    run_at: Annotated[
        Moment | None,
        Field(
            description="When to run it (RFC 3339); at once if that time has passed.", examples=["2030-01-01T06:30:00Z"]
        ),
    ] = None
    deadline: Annotated[
        Deadline | None,
        Field(description="A time (RFC 3339), or seconds from now, after which it is not started.", examples=[3600]),
    ] = None
    timezone: TimeZone = None


class JobRequest(OperationRequest, Named):
    """A job of any published operation."""


class BatchRequest(Request):
    """Many jobs in one request."""

    jobs: Annotated[
        list[Any],
        Field(
            min_length=1,
            max_length=MOST_JOBS,
            description="Bodies of `POST /jobs`. Each is checked by itself; a bad one doesn't hold up the others.",
        ),
    ]
