"""Growing pauses between attempts to reach a server that is down."""

from collections.abc import Iterator
from itertools import chain, repeat


def pauses(seconds: tuple[float, ...]) -> Iterator[float]:
    """Yield the pauses in order, then the last one forever."""
    return chain(seconds, repeat(seconds[-1]))
