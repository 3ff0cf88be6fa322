"""Decides whether a series of samples is flat or grows.

The slope of a series is the median of the slopes between all pairs of samples (Theil–Sen), which neither a single step
nor outliers move. A figure grows if all of the following hold:

- its growth over the window exceeds its floor, which is the growth that chance may cause in a healthy service;
- its growth is more than a tenth in an hour;
- its growth is more than three times the spread of the samples around the line;
- it goes on: the slope of the second half alone is at least half of the total slope, so that a figure which only fills
  up to a plateau does not count.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

HOUR = 3600.0
SHARE = 0.10
"""Growth in an hour that still counts as flat."""
STRAY = 3.0
STRAY_OF_NORMAL = 1.4826
"""The standard deviation of normal noise, as a multiple of its median absolute deviation."""
FEWEST = 5
"""Fewest samples that can be judged."""
MOST = 400
"""Samples that are compared in pairs at most; of more samples, every n-th is used."""

Point = tuple[float, float]
"""Time (s) and value."""


@dataclass(frozen=True)
class Trend:
    """The trend of a series: the medians of its first and last fifth, its growth over the window, and per hour."""

    first: float
    last: float
    growth: float
    per_hour: float
    most: float
    grows: bool


def trend_of(points: Sequence[Point], floor: float) -> Trend | None:
    """Compute the trend of a series; None: too few samples. `floor` is the growth that chance may cause."""
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
    """Return the median of the slopes between all pairs (per second)."""
    some = points[:: 1 + len(points) // MOST]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(some, 2) if b[0] > a[0]]
    return statistics.median(slopes) if slopes else 0.0


def spread(points: Sequence[Point], pace: float) -> float:
    """Return the spread of the samples around the line of this slope, as a standard deviation of normal noise."""
    rests = [value - pace * at for at, value in points]
    middle = statistics.median(rests)
    return STRAY_OF_NORMAL * statistics.median(abs(rest - middle) for rest in rests)
