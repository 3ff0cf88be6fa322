"""What a client may ask for: the bodies of `POST /compute` and `POST /jobs`.

Stands at step 1 of a job's life: `api/bodies.py` reads a body into one of these or refuses it. Next: `problems.py` for
the refusal, `jobs.py` for the answer.
"""

from math import isfinite
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from schemas.address import EmailAddress

MAGNITUDE: Final = 10**18
"""Largest magnitude of a number in `POST /compute`; up to here sum, sub and mul of integers are exact."""
MAX_NAME: Final = 200
"""Characters of the longest name of an operation."""


def _number(value: object) -> int | float:
    """Take an integer or a finite float of the allowed magnitude; a boolean is not a number here, nor is a text."""
    kind = type(value)
    if (kind is int or (kind is float and isfinite(value))) and -MAGNITUDE <= value <= MAGNITUDE:  # type: ignore[operator, arg-type]  # kind tells
        return value  # type: ignore[return-value]  # kind tells
    raise PydanticCustomError("number", "must be a number, without quotes, between -10^18 and 10^18")


Number = Annotated[
    int | float,
    PlainValidator(_number),
    WithJsonSchema({"type": "number", "minimum": -MAGNITUDE, "maximum": MAGNITUDE}),
]

Recipient = Annotated[EmailAddress | None, Field(description="Who is mailed the receipt and the result.")]


class Request(BaseModel):
    """What all bodies have in common: nothing is converted, and an unknown field is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class ComputeRequest(Request):
    """One sum, difference, product or quotient of two numbers."""

    operation: Annotated[
        Literal["sum", "sub", "mul", "div"],
        Field(description="`sum` value + other, `sub` value - other, `mul` value * other, `div` value / other."),
    ]
    value: Annotated[Number, Field(description="The first number.")]
    other: Annotated[Number, Field(description="The second number.")]
    email: Recipient = None


class JobRequest(Request):
    """A job of any operation the workers have announced."""

    operation: Annotated[str, Field(min_length=1, max_length=MAX_NAME, description="Name of the operation.")]
    arguments: Annotated[
        dict[str, Any],
        Field(default_factory=dict, description="What the operation needs, as its published JSON Schema says."),
    ]
    email: Recipient = None
