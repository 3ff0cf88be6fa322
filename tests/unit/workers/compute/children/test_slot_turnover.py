"""The turnover: how many jobs are expected to end in the next moment, by how many did recently."""

import pytest

from workers.compute.children import slot_turnover
from workers.compute.children.slot_turnover import AHEAD, WINDOW, SlotTurnover


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets: its only item."""
    now = [1000.0]
    monkeypatch.setattr(slot_turnover, "monotonic", lambda: now[0])
    return now


def pass_by(clock: list[float], counter: SlotTurnover, seconds: float, ends: int) -> None:
    clock[0] += seconds
    for _ in range(ends):
        counter.count()


def test_nothing_is_expected_before_anything_has_ended(clock):
    counter = SlotTurnover()
    clock[0] += 10 * WINDOW

    assert counter.expected_ends() == 0


@pytest.mark.parametrize("per_second", [100, 1_000, 10_000])
def test_as_many_are_expected_as_ended_recently_in_that_time(clock, per_second):
    counter = SlotTurnover()
    pass_by(clock, counter, WINDOW, int(per_second * WINDOW))

    assert counter.expected_ends() == int(per_second * AHEAD)


def test_a_few_slow_jobs_give_no_expectation(clock):
    counter = SlotTurnover()
    pass_by(clock, counter, 10 * WINDOW, 2)

    assert counter.expected_ends() == 0


def test_it_follows_what_happens(clock):
    counter = SlotTurnover()
    pass_by(clock, counter, WINDOW, 1_000)
    busy = counter.expected_ends()
    pass_by(clock, counter, WINDOW, 0)

    assert busy > 0
    assert counter.expected_ends() == 0


def test_a_longer_window_counts_by_its_length(clock):
    counter = SlotTurnover()
    pass_by(clock, counter, 10 * WINDOW, 1_000)

    assert counter.expected_ends() == int(100 / WINDOW * AHEAD)
