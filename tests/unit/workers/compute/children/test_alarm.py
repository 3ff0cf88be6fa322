"""The alarm: one who waits is woken at the earliest time that was set, also where that is set while he waits."""

from time import monotonic

import eventlet

from workers.compute.children.alarm import LEAST_SECONDS, Alarm

SOON, LATER = 0.05, 5.0


def waited(alarm: Alarm, until: float) -> float:
    """Wait, and give the seconds it took."""
    began = monotonic()
    alarm.wait(began + until)
    return monotonic() - began


def test_it_rings_at_the_earliest_time_that_was_set():
    alarm, now = Alarm(), monotonic()
    for seconds in (LATER, SOON, 2 * LATER):
        alarm.set(now + seconds)

    assert SOON <= waited(alarm, LATER) < LATER


def test_it_rings_earlier_where_an_earlier_time_is_set_meanwhile():
    alarm = Alarm()
    alarm.set(monotonic() + LATER)
    eventlet.spawn_n(lambda: alarm.set(monotonic() + SOON))

    assert SOON <= waited(alarm, LATER) < LATER


def test_nobody_waits_longer_than_he_wants():
    assert SOON <= waited(Alarm(), SOON) < LATER


def test_what_has_rung_rings_no_more():
    alarm = Alarm()
    alarm.set(monotonic())
    waited(alarm, LATER)

    assert waited(alarm, SOON) >= SOON


def test_times_that_are_past_do_not_keep_it_busy():
    alarm, began = Alarm(), monotonic()
    for _ in range(5):
        alarm.set(began)
        alarm.wait(began)

    assert monotonic() - began >= 5 * LEAST_SECONDS
