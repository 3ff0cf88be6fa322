"""The timer wakes its waiter at the earliest time, even if that is set during the wait."""

from time import monotonic

import eventlet

from workers.compute.children.earliest_timer import LEAST_SECONDS, EarliestTimer

SOON, LATER = 0.05, 5.0


def waited(timer: EarliestTimer, until: float) -> float:
    """Wait, and give the seconds it took."""
    began = monotonic()
    timer.wait(began + until)
    return monotonic() - began


def test_it_ends_a_wait_at_the_earliest_time_that_was_set():
    timer, now = EarliestTimer(), monotonic()
    for seconds in (LATER, SOON, 2 * LATER):
        timer.set(now + seconds)

    assert SOON <= waited(timer, LATER) < LATER


def test_it_ends_a_wait_earlier_if_an_earlier_time_is_set_meanwhile():
    timer = EarliestTimer()
    timer.set(monotonic() + LATER)
    eventlet.spawn_n(lambda: timer.set(monotonic() + SOON))

    assert SOON <= waited(timer, LATER) < LATER


def test_a_wait_has_a_limit():
    assert SOON <= waited(EarliestTimer(), SOON) < LATER


def test_a_time_that_has_passed_is_cleared():
    timer = EarliestTimer()
    timer.set(monotonic())
    waited(timer, LATER)

    assert waited(timer, SOON) >= SOON


def test_times_that_are_past_do_not_keep_it_busy():
    timer, began = EarliestTimer(), monotonic()
    for _ in range(5):
        timer.set(began)
        timer.wait(began)

    assert monotonic() - began >= 5 * LEAST_SECONDS
