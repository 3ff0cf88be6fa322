"""The relay's thread; tests/integration/test_relay.py has what it publishes."""

import os

import pytest

from api.doorbells.relay import Relay
from errand.settings import Settings


@pytest.fixture
def relay() -> Relay:
    """A relay whose broker is a port on which nobody listens."""
    return Relay(Settings(amqp_uri="amqp://guest:guest@127.0.0.1:1//"), store=None)


def test_a_relay_made_before_a_fork_starts_in_each_child(relay):
    """API_PROCESSES above 1; since Python 3.13 a thread made before the fork can't be started after it."""
    for _ in range(2):
        if (child := os.fork()) == 0:
            try:
                relay.start()
                os._exit(0)
            finally:
                os._exit(1)

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_relay_that_was_never_started_can_be_stopped(relay):
    relay.stop()
