"""Primes: counts the primes below a number with a segmented sieve, whose memory stays small.

It keeps a CPU core busy and reports its progress.
"""

from collections.abc import Iterator
from math import isqrt
from typing import Annotated, Final

from pydantic import Field

from schemas.operations import Example
from workers.operations.registry import operation, progress

MAX_N: Final = 10**11
"""Largest n: minutes of work, in little memory."""
SEGMENT: Final = 2**20
"""Odd numbers sieved at a time, one byte each, so that they fit into the CPU's cache."""

_WHEEL: Final = (3, 5, 7, 11, 13)
_PERIOD: Final = 3 * 5 * 7 * 11 * 13


@operation(
    timeout=3600,
    max_attempts=3,
    examples=[Example(arguments={"n": 1_000_000}, result=78_498)],
)
def primes(
    n: Annotated[int, Field(ge=0, le=MAX_N, description="Primes below this number are counted.", examples=[1_000_000])],
) -> int:
    """Count the primes below n.

    The count is exact. It takes a few seconds at 10^9 and minutes at 10^11: time to watch the job, or to cancel it.
    """
    if n <= 2:
        return 0
    count = 1  # 2, the only even one
    for end, found in _segments(n):
        count += found
        progress(end / n, f"{count:,} primes below {end:,}")
    return count


def _segments(n: int) -> Iterator[tuple[int, int]]:
    """Sieve the odd numbers below n segment by segment; yield the end of each and the number of its primes."""
    odds = n // 2  # index i stands for 2i + 1
    small = [p for p in _odd_primes(isqrt(n - 1)) if p not in _WHEEL]
    pattern = _pattern()
    for low in range(0, odds, SEGMENT):
        size = min(SEGMENT, odds - low)
        offset = low % _PERIOD
        part = pattern[offset : offset + size]
        if low == 0:
            part[0] = 0  # 1 is not a prime, but the numbers of the wheel are
            for p in _WHEEL:
                if p // 2 < size:
                    part[p // 2] = 1
        last = 2 * (low + size) - 1
        for p in small:
            square = p * p
            if square > last:
                break
            # the first odd multiple of p in this part, from p * p on
            start = square // 2 - low if square // 2 >= low else -(low - square // 2) % p
            if start < size:
                part[start::p] = bytes((size - 1 - start) // p + 1)
        yield min(2 * (low + size), n), part.count(1)


def _pattern() -> bytearray:
    """Return the sieve without multiples of the wheel, long enough to copy a segment from any offset."""
    length = SEGMENT + _PERIOD
    pattern = bytearray(b"\x01") * length
    for p in _WHEEL:
        pattern[p // 2 :: p] = bytes((length - 1 - p // 2) // p + 1)
    return pattern


def _odd_primes(limit: int) -> list[int]:
    """List the odd primes up to a small limit."""
    sieve = bytearray(b"\x01") * (limit // 2 + 1)
    for p in range(3, isqrt(limit) + 1, 2):
        if sieve[p // 2]:
            sieve[p * p // 2 :: p] = bytes((limit // 2 - p * p // 2) // p + 1)
    return [2 * i + 1 for i in range(1, (limit + 1) // 2) if sieve[i]]
