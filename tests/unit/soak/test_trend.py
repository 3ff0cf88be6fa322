"""The trend of a figure in `make soak`: growth is found, and neither noise nor a plateau counts as growth."""

import math
from random import Random

import pytest

from soak.report import FLOORS, floor_of
from soak.trend import trend_of

MEMORY, CONNECTIONS = FLOORS[": memory, MB"], FLOORS["rabbitmq:"]
SEEDS = range(20)


def series(minutes, value, every=5.0):
    """Sample `value(seconds)` for this many minutes."""
    return [(at * every, value(at * every)) for at in range(int(minutes * 60 / every))]


def noisy(seed, stray):
    """Return noise of this spread, with outliers now and then."""
    random = Random(seed)
    return lambda: random.gauss(0, stray) + (random.random() < 0.05) * 20 * stray


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_around_a_level_is_flat(seed):
    noise = noisy(seed, 1.0)

    for minutes in (1.2, 25):
        assert not trend_of(series(minutes, lambda _: 60 + noise()), MEMORY).grows


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slow_leak_beneath_noise_grows(seed):
    noise = noisy(seed, 0.5)

    trend = trend_of(series(25, lambda at: 60 + 10 * at / 3600 + noise()), MEMORY)

    assert trend.grows
    assert trend.per_hour == pytest.approx(10, rel=0.3)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_minutes_are_enough_for_a_leak_of_some_kilobytes_a_job(seed):
    noise = noisy(seed, 0.2)

    assert trend_of(series(1.2, lambda at: 60 + at * 10 * 0.006 + noise(), every=3), MEMORY).grows


def test_memory_taken_a_megabyte_at_a_time_grows():
    assert trend_of(series(25, lambda at: 60 + at // 240), MEMORY).grows


def test_a_connection_lost_every_few_seconds_grows():
    assert trend_of(series(1.2, lambda at: 20 + at // 12, every=10), CONNECTIONS).grows


def test_a_figure_that_fills_up_to_a_plateau_is_flat():
    assert not trend_of(series(25, lambda at: 60 + 20 * (1 - math.exp(-at / 240))), MEMORY).grows


def test_one_step_is_flat():
    assert not trend_of(series(25, lambda at: 60 + 15 * (at > 1000)), MEMORY).grows


def test_a_figure_that_rises_and_falls_is_flat():
    assert not trend_of(series(25, lambda at: 60 + 30 * (at % 200) / 200), MEMORY).grows


def test_a_figure_that_shrinks_is_flat():
    assert not trend_of(series(25, lambda at: 60 - 10 * at / 1500), MEMORY).grows


def test_a_figure_with_too_few_samples_is_not_judged():
    assert trend_of(series(0.3, lambda at: at), MEMORY) is None


def test_each_figure_has_its_own_floor_but_rates_have_none():
    assert floor_of("rabbitmq: queues") == 0
    assert floor_of("rabbitmq: channels") == CONNECTIONS
    assert floor_of("mail-1: memory, MB") == MEMORY
    assert floor_of("load: ended a second") is None
