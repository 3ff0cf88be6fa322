"""Statistics: exact where numbers are whole, right where they aren't, and never overflowing."""

import json
import statistics as standard
from math import inf, nan
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.compute.attempt import attempt
from workers.operations import OPERATIONS
from workers.operations.statistics import statistics

MANY = 100_000


def ending(numbers):
    return attempt(OPERATIONS["statistics"], json.dumps({"numbers": numbers}), 5_000_000)


def refusal(numbers) -> str:
    ended = ending(numbers)
    assert ended.kind == "failed"
    assert json.loads(ended.payload)["type"] == "ArgumentsRefused"
    return json.loads(ended.payload)["message"]


def test_whole_numbers_stay_whole_where_the_answer_is():
    found = statistics([2, 4, 4, 4, 5, 5, 7, 9])

    assert (found.count, found.sum, found.mean, found.median) == (8, 40, 5, 4.5)
    assert (found.minimum, found.maximum, found.lower_quartile, found.upper_quartile) == (2, 9, 4, 5.5)
    assert (found.population_stdev, found.stdev) == (2.0, standard.stdev([2, 4, 4, 4, 5, 5, 7, 9]))
    assert [type(each) for each in (found.sum, found.mean, found.minimum, found.lower_quartile)] == [int] * 4


def test_large_whole_numbers_are_exact():
    numbers = [10**18 + n for n in (1, 2, 3, 4)]

    found = statistics(numbers)

    assert found.sum == 4 * 10**18 + 10
    assert found.median == (2 * 10**18 + 5) / 2
    assert found.stdev == standard.stdev([1, 2, 3, 4])
    assert statistics([10**300, -(10**300), 1]).sum == 1


def test_one_number_has_no_sample_deviation():
    found = statistics([7])

    assert found.stdev is None
    assert found.population_stdev == 0
    assert found.mean == found.median == found.lower_quartile == found.upper_quartile == 7


def test_equal_floats_have_their_own_mean_and_no_deviation():
    found = statistics([0.1] * 3)

    assert (found.mean, found.stdev, found.population_stdev) == (0.1, 0.0, 0.0)


def test_numbers_close_to_each_other_and_far_from_zero_keep_their_deviation():
    assert statistics([1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]).stdev == pytest.approx(30**0.5, rel=1e-12)


@pytest.mark.parametrize("scale", [1e300, 1e-300, 5e-324])
def test_nothing_overflows_and_nothing_vanishes(scale):
    found = statistics([-scale, scale])

    assert found.population_stdev == scale
    assert found.sum == found.mean == 0
    assert ending([scale] * 1000).kind == "succeeded"


@given(st.lists(st.integers(-(10**30), 10**30) | st.floats(-1e100, 1e100), min_size=2, max_size=40))
def test_it_agrees_with_the_standard_library(numbers):
    found = statistics(numbers)

    near = {"rel": 1e-9, "abs": max(map(abs, numbers)) * 1e-13}
    assert found.mean == pytest.approx(standard.mean(numbers), **near)
    assert found.median == pytest.approx(standard.median(numbers), **near)
    assert found.stdev == pytest.approx(standard.stdev(numbers), **near)
    assert found.population_stdev == pytest.approx(standard.pstdev(numbers), **near)
    lower, _, upper = standard.quantiles(numbers, n=4, method="inclusive")
    assert (found.lower_quartile, found.upper_quartile) == (pytest.approx(lower, **near), pytest.approx(upper, **near))


@given(st.lists(st.integers(-(10**30), 10**30), min_size=1, max_size=40))
def test_of_whole_numbers_sum_mean_and_median_are_exact(numbers):
    found = statistics(numbers)

    assert found.sum == sum(numbers)
    assert found.mean == (
        sum(numbers) // len(numbers) if sum(numbers) % len(numbers) == 0 else sum(numbers) / len(numbers)
    )
    assert min(numbers) == found.minimum <= found.lower_quartile <= found.median <= found.upper_quartile <= max(numbers)


@pytest.mark.parametrize(
    "numbers",
    [[n * 0.1 for n in range(MANY)], [10**18 - n for n in range(MANY)], [10**300 - n for n in range(MANY)]],
    ids=["floats", "whole", "huge"],
)
def test_a_hundred_thousand_numbers_take_well_under_a_second(numbers):
    text = json.dumps({"numbers": numbers})
    started = process_time()

    assert attempt(OPERATIONS["statistics"], text, 5_000_000).kind == "succeeded"

    assert process_time() - started < 1


@pytest.mark.parametrize("number", [inf, -inf, nan, 1e301, -1e301, 10**301, "1", True, None, [1]])
def test_what_is_no_finite_number_is_refused_in_a_sentence(number):
    # infinities and NaN are no JSON, but its readers know them
    assert "must be a number, without quotes, between -10^300 and 10^300" in refusal([1, number])


def test_a_number_too_large_for_a_float_is_refused_in_a_sentence():
    ended = attempt(OPERATIONS["statistics"], '{"numbers":[1e400]}', 1000)

    assert "must be a number" in json.loads(ended.payload)["message"]


def test_no_numbers_and_too_many_are_refused():
    assert "numbers" in refusal([])
    assert "100000" in refusal([1] * (MANY + 1))
