"""A stop waits for what runs, until a limit or until Ctrl-C cuts it short."""

import signal
from time import monotonic

import eventlet
import pytest

from workers.stopping import Stop


def test_what_has_ended_is_not_waited_for():
    assert Stop().wait(lambda: True, 60)


def test_the_wait_has_a_limit():
    began = monotonic()

    assert not Stop().wait(lambda: False, 0.1)
    assert 0.1 <= monotonic() - began < 5


def test_ctrl_c_during_a_stop_cuts_the_wait_short():
    stop, began = Stop(), monotonic()
    stop.signalled(signal.SIGTERM)
    eventlet.spawn_after(0.1, stop.signalled, signal.SIGINT)

    assert not stop.wait(lambda: False, 60)
    assert monotonic() - began < 5


@pytest.mark.parametrize(
    ("numbers", "at_once"),
    [
        ([signal.SIGINT], False),
        ([signal.SIGINT, signal.SIGINT], True),
        ([signal.SIGHUP, signal.SIGINT], True),
        ([signal.SIGTERM, signal.SIGTERM], False),
        ([signal.SIGINT, signal.SIGTERM], False),
        ([signal.SIGHUP, signal.SIGHUP, signal.SIGTERM], False),
    ],
)
def test_only_ctrl_c_cuts_a_stop_short(numbers, at_once):
    stop = Stop()

    for number in numbers:
        stop.signalled(number)

    assert stop.at_once is at_once
