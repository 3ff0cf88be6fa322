"""Pauses between tries, growing up to the longest: how everything here waits for a server to come back.

Stands beside the whole life of a job: the relay, the readers and those who commit.
"""

from collections.abc import Iterator
from itertools import chain, repeat


def pauses(seconds: tuple[float, ...]) -> Iterator[float]:
    """Give the pauses one after the other, and the last one without end."""
    return chain(seconds, repeat(seconds[-1]))
