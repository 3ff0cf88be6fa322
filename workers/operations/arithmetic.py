"""Arithmetic: addition, subtraction, multiplication and division, exact for whole numbers."""

import math

from errand.errors import PublicError
from schemas.operations import Example
from schemas.requests import Number
from workers.operations.registry import operation


@operation(tiny=True, examples=[Example(arguments={"value": 30, "other": 10}, result=40)])
def sum(value: Number, other: Number) -> int | float:  # noqa: A001 -- the contract's name
    """Add two numbers."""
    return value + other


@operation(tiny=True, examples=[Example(arguments={"value": 30, "other": 10}, result=20)])
def sub(value: Number, other: Number) -> int | float:
    """Subtract the second number from the first."""
    return value - other


@operation(tiny=True, examples=[Example(arguments={"value": 30, "other": 10}, result=300)])
def mul(value: Number, other: Number) -> int | float:
    """Multiply two numbers."""
    return value * other


@operation(
    tiny=True,
    examples=[
        Example(arguments={"value": 30, "other": 10}, result=3),
        Example(arguments={"value": 10, "other": 4}, result=2.5),
    ],
)
def div(value: Number, other: Number) -> int | float:
    """Divide the first number by the second; the result is exact if the division is even."""
    if other == 0:
        raise PublicError("division by zero", type="ZeroDivisionError")
    if isinstance(value, int) and isinstance(other, int) and value % other == 0:
        return value // other
    quotient = value / other
    if math.isinf(quotient):
        raise PublicError("the quotient is too large for a number", type="OverflowError")
    return quotient
