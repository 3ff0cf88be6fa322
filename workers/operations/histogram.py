"""Histogram: draws how numbers are distributed.

Its result is a picture, which the mail and the job's page show. Next: `workers/formats/charts.py`, which draws it.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import Field

from errand.presenting import safe_text
from schemas.operations import Example
from schemas.pictures import Picture
from workers.formats.bars import Bars
from workers.operations.registry import operation
from workers.operations.statistics import MAX_NUMBERS, FiniteNumber

MAX_BINS: Final = 100
MAX_DEFAULT_BINS: Final = 50
"""Maximum bins if the client doesn't say how many."""
MAX_TITLE: Final = 100
_CLOSE: Final = 1e-9
"""Numbers whose range is so small relative to their size are drawn as one: no axis could tell them apart."""
_SMALLEST: Final = 1e-290


@operation(timeout=60, examples=[Example(arguments={"numbers": [2, 4, 4, 4, 5, 5, 7, 9], "title": "Eight numbers"})])
def histogram(
    numbers: Annotated[
        list[FiniteNumber],
        Field(min_length=1, max_length=MAX_NUMBERS, description="1 to 100,000 numbers.", examples=[[1, 2, 2, 3.5]]),
    ],
    bins: Annotated[
        Annotated[int, Field(ge=1, le=MAX_BINS)] | None,
        Field(description="Number of bars, 1 to 100; null: the square root of the count of numbers, at most 50."),
    ] = None,
    title: Annotated[
        str,
        Field(
            max_length=MAX_TITLE,
            description="The title, up to 100 characters of any script.",
        ),
    ] = "Histogram",
) -> Picture:
    """Draw a histogram of numbers as a PNG.

    All bars have the same width, from the smallest to the largest number. A number on the border between two bars
    counts in the right one, the largest number in the last.
    """
    from workers.formats.charts import draw_histogram  # here, so that only the child that draws loads Pillow

    title = safe_text.one_line(title, MAX_TITLE)
    bars = bars_of(numbers, bins or min(math.ceil(math.sqrt(len(numbers))), MAX_DEFAULT_BINS))
    return Picture.of(draw_histogram(bars, title), _in_words(bars, numbers, title))


def bars_of(numbers: Sequence[float], bins: int) -> Bars:
    """Count the numbers in each of `bins` spans of equal width."""
    values = [float(number) for number in numbers]
    low, high = min(values), max(values)
    if high - low <= max(abs(low), abs(high)) * _CLOSE + _SMALLEST:
        around = max(abs(low) * 0.05, 0.5)
        low, high = low - around, high + around
    counts = [0] * bins
    for value in values:
        counts[min(int((value - low) / (high - low) * bins), bins - 1)] += 1
    return Bars(counts, low, high)


def _in_words(bars: Bars, numbers: Sequence[float], title: str) -> str:
    """Describe the picture for people who can't see it."""
    most = max(bars.counts)
    first, width = bars.counts.index(most), (bars.high - bars.low) / len(bars.counts)
    start, end = (bars.low + width * edge for edge in (first, first + 1))
    spread = f"Numbers: {len(numbers):,}, from {min(numbers):.6g} to {max(numbers):.6g}."
    highest = f"Bars: {len(bars.counts)}; the highest counts {most:,}, from {start:.4g} to {end:.4g}."
    return f"{title or 'Histogram'}. {spread} {highest}"
