"""Primes: exact at every edge of the sieve, and telling how far it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.compute.attempt import attempt
from workers.operations import OPERATIONS
from workers.operations.primes import MAX_N, SEGMENT, primes
from workers.operations.registry import set_progress_reporter


def counted_plainly(n: int) -> int:
    """Count with the simplest sieve there is."""
    sieve = bytearray(b"\x01") * max(n, 2)
    sieve[0] = sieve[1] = 0
    for i in range(2, n):
        if sieve[i]:
            sieve[i * i :: i] = bytes(len(range(i * i, len(sieve), i)))
    return sieve[:n].count(1)


@pytest.fixture
def reports():
    heard: list[tuple[float, str | None]] = []
    set_progress_reporter(lambda fraction, message: heard.append((fraction, message)))
    yield heard
    set_progress_reporter(lambda *_: None)


@pytest.mark.parametrize("n", [*range(60), 168, 169, 170, 289, 290])
def test_small_numbers_are_exact(n):
    assert primes(n) == counted_plainly(n)


@pytest.mark.parametrize("n", [2 * SEGMENT + d for d in range(-2, 4)] + [4 * SEGMENT + 1, 1009**2, 1009**2 + 1])
def test_numbers_at_the_edge_of_a_part_are_exact(n):
    assert primes(n) == counted_plainly(n)


@given(st.integers(0, 50_000))
def test_any_number_is_exact(n):
    assert primes(n) == counted_plainly(n)


def test_ten_million_is_as_in_the_books():
    assert primes(10_000_000) == 664_579


def test_it_tells_how_far_it_is_and_what_it_has_found(reports):
    primes(10_000_000)

    fractions = [fraction for fraction, _ in reports]
    assert len(fractions) == 5
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert reports[-1][1] == "664,579 primes below 10,000,000"


@pytest.mark.parametrize("n", [-1, MAX_N + 1, 1.5, "10", True, None])
def test_what_is_no_number_to_count_to_is_refused(n):
    ending = attempt(OPERATIONS["primes"], json.dumps({"n": n}), 1000)

    assert ending.kind == "failed"
    assert json.loads(ending.payload)["type"] == "ArgumentsRefused"
    assert not ending.retryable
