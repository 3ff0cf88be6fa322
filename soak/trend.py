"""The judge: says of a series of samples whether it is flat or grows.

Stands at the end of a soak. Next: `report.py`.

A figure grows where all of this is so, by the slope that half of all pairs of samples lie above (Theil and Sen; one
step or some outliers don't move it):

- over the window it grows by more than its floor, which is what a healthy service may gain by chance;
- that is more than a tenth in an hour;
- it is more than three times what the samples stray from the line;
- and it goes on: the second half alone grows at half that pace or more. Who only fills up to a plateau doesn't.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

HOUR = 3600.0
SHARE = 0.10
"""Growth in an hour that is still flat."""
STRAY = 3.0
STRAY_OF_NORMAL = 1.4826
"""The standard deviation of normal noise, as a multiple of its median absolute deviation."""
FEWEST = 5
"""Samples below which nothing can be said."""
MOST = 400
"""Samples that are compared pair by pair; of more, every so manieth."""

Point = tuple[float, float]
"""When (s), and how much."""


@dataclass(frozen=True)
class Trend:
    """What a series came to: medians of its first and its last fifth, the growth over the window, and by the hour."""

    first: float
    last: float
    growth: float
    per_hour: float
    most: float
    grows: bool


def trend_of(points: Sequence[Point], floor: float) -> Trend | None:
    """Judge a series; `floor` is the growth over the window that means nothing. None: too few samples."""
    if len(points) < FEWEST:
        return None
    values = [value for _, value in points]
    fifth = max(1, len(points) // 5)
    first, last = statistics.median(values[:fifth]), statistics.median(values[-fifth:])
    pace, window = slope(points), points[-1][0] - points[0][0]
    growth, per_hour = pace * window, pace * HOUR
    grows = (
        growth > floor
        and per_hour > SHARE * abs(first)
        and growth > STRAY * spread(points, pace)
        and slope(points[len(points) // 2 :]) >= pace / 2
    )
    return Trend(first, last, growth, per_hour, max(values), grows)


def slope(points: Sequence[Point]) -> float:
    """Give the median of the slopes between all pairs (per second)."""
    some = points[:: 1 + len(points) // MOST]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(some, 2) if b[0] > a[0]]
    return statistics.median(slopes) if slopes else 0.0


def spread(points: Sequence[Point], pace: float) -> float:
    """Tell how far the samples lie from the line of this slope, as a standard deviation of normal noise."""
    rests = [value - pace * at for at, value in points]
    middle = statistics.median(rests)
    return STRAY_OF_NORMAL * statistics.median(abs(rest - middle) for rest in rests)
