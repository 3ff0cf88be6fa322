"""The bars of a histogram: counts over spans of one width. Apart from `charts.py`, so that no worker loads Pillow."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bars:
    """How many numbers there are in each of the spans of one width that lie between `low` and `high`."""

    counts: Sequence[int]
    low: float
    high: float
