"""Statistics: describes a list of numbers by its sum, mean, median, quartiles and standard deviations.

Its result is a typed model, whose fields are the published schema.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import fsum, isfinite, isqrt
from typing import Annotated, Final

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from schemas.operations import Example
from workers.operations.registry import operation

MAX_NUMBERS: Final = 100_000
MAX_MAGNITUDE: Final = 1e300
"""Small enough that the sum of `MAX_NUMBERS` such numbers is still a float."""
MAX_WHOLE: Final = 10**300
"""The same, exactly: 1e300 is a little more."""


def _finite(value: object) -> int | float:
    kind = type(value)
    most = MAX_WHOLE if kind is int else MAX_MAGNITUDE
    if (kind is int or (kind is float and isfinite(value))) and -most <= value <= most:  # type: ignore[operator, arg-type]  # kind tells
        return value  # type: ignore[return-value]  # kind tells
    raise PydanticCustomError("finite_number", "must be a number, without quotes, between -10^300 and 10^300")


FiniteNumber = Annotated[
    int | float,
    PlainValidator(_finite),
    WithJsonSchema({"type": "number", "minimum": -MAX_MAGNITUDE, "maximum": MAX_MAGNITUDE}),
]


class Statistics(BaseModel):
    """Figures about a list of numbers. For whole numbers, a figure that is whole is exact."""

    count: Annotated[int, Field(description="The count of numbers.")]
    sum: Annotated[int | float, Field(description="Exact for whole numbers, rounded once for others.")]
    mean: Annotated[int | float, Field(description="Sum divided by count.")]
    median: Annotated[int | float, Field(description="The middle number, or the mean of the middle two.")]
    minimum: Annotated[int | float, Field(description="The smallest number.")]
    maximum: Annotated[int | float, Field(description="The largest number.")]
    stdev: Annotated[
        float | None,
        Field(description="Standard deviation of a sample (divided by count - 1); null for a single number."),
    ]
    population_stdev: Annotated[float, Field(description="Standard deviation of a population (divided by count).")]
    lower_quartile: Annotated[
        int | float, Field(description="A quarter of the way through the sorted numbers, interpolated.")
    ]
    upper_quartile: Annotated[int | float, Field(description="Three quarters of the way, interpolated.")]


@operation(
    timeout=60,
    examples=[
        Example(
            arguments={"numbers": [2, 4, 4, 4, 5, 5, 7, 9]},
            result={
                "count": 8,
                "sum": 40,
                "mean": 5,
                "median": 4.5,
                "minimum": 2,
                "maximum": 9,
                "stdev": 2.138089935299395,
                "population_stdev": 2.0,
                "lower_quartile": 4,
                "upper_quartile": 5.5,
            },
        )
    ],
)
def statistics(
    numbers: Annotated[
        list[FiniteNumber],
        Field(min_length=1, max_length=MAX_NUMBERS, description="1 to 100,000 numbers.", examples=[[1, 2, 3.5]]),
    ],
) -> Statistics:
    """Describe a list of numbers: sum, mean, median, quartiles, standard deviations.

    Sum, mean, median and quartiles of whole numbers are computed exactly, and are whole numbers where possible.
    Quartiles are interpolated between the smallest and the largest number, as spreadsheets do (QUARTILE.INC).
    """
    in_order = sorted(numbers)
    count = len(in_order)
    total, mean = _total(in_order), mean_of(in_order)
    squares = _squares_of_whole(in_order, total) if isinstance(total, int) else _squares(in_order, mean)
    return Statistics(
        count=count,
        sum=total,
        mean=mean,
        median=_at(in_order, 2),
        minimum=in_order[0],
        maximum=in_order[-1],
        stdev=_root(squares / (count - 1)) if count > 1 else None,
        population_stdev=_root(squares / count),
        lower_quartile=_at(in_order, 1),
        upper_quartile=_at(in_order, 3),
    )


def mean_of(numbers: Sequence[float]) -> int | float:
    """Return the mean of at least one number; for whole numbers it is exact, and whole where possible."""
    total = _total(numbers)
    if isinstance(total, int):
        return _divided(total, len(numbers))
    mean = total / len(numbers)
    # rounded twice, it may lie beyond the largest number; the mean of the distances corrects it
    return mean + fsum(number - mean for number in numbers) / len(numbers)


def _total(numbers: Sequence[float]) -> int | float:
    return sum(numbers) if all(type(number) is int for number in numbers) else fsum(numbers)


def _divided(number: float, by: int) -> int | float:
    return number // by if isinstance(number, int) and number % by == 0 else number / by


def _at(in_order: Sequence[float], quarters: int) -> int | float:
    """Return the value `quarters` quarters of the way from the first number to the last, interpolated."""
    place, rest = divmod((len(in_order) - 1) * quarters, 4)
    if rest == 0:
        return in_order[place]
    return _divided(in_order[place] * (4 - rest) + in_order[place + 1] * rest, 4)


def _squares_of_whole(numbers: Sequence[float], total: int) -> Fraction:
    """Return the exact sum of the squared distances from the mean, however close the numbers are."""
    return Fraction(len(numbers) * int(sum(n * n for n in numbers)) - total**2, len(numbers))


def _squares(numbers: Sequence[float], mean: float) -> Fraction:
    """Return the same for floats, scaled so that no square can overflow or underflow."""
    distances = [number - mean for number in numbers]
    scale = max(map(abs, distances))
    if scale == 0:
        return Fraction(0)
    squares = fsum((distance / scale) ** 2 for distance in distances)
    # correct the rounding of the mean itself
    squares -= fsum(distance / scale for distance in distances) ** 2 / len(numbers)
    return Fraction(max(squares, 0.0)) * Fraction(scale) ** 2


def _root(square: Fraction) -> float:
    """Return the square root of a number that may be too large or too small for a float."""
    if square == 0:
        return 0.0
    shift = (square.denominator.bit_length() - square.numerator.bit_length() + 128) // 2
    scaled = square * Fraction(4) ** shift  # about 2 ** 128, so that the root has 64 bits
    return float(Fraction(isqrt(int(scaled))) / Fraction(2) ** shift)
