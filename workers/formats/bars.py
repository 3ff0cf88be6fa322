"""The bars of a histogram; separate from `charts.py` so that only the child that draws loads Pillow."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bars:
    """The counts of numbers in spans of equal width between `low` and `high`."""

    counts: Sequence[int]
    low: float
    high: float
