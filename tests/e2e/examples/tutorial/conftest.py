"""What nameko's fixtures need to work on the broker of the test that runs these files: see `../test_greeting.py`."""

import os
from collections.abc import Iterator

import eventlet
import pytest

from errand.broker.connection import open_connection


@pytest.fixture
def rabbit_config() -> dict[str, str]:
    """The broker; nameko's own fixture of this name wants RabbitMQ's management plugin."""
    open_connection(os.environ["AMQP_URI"])  # installs the embedded broker where it is one
    return {"AMQP_URI": os.environ["AMQP_URI"]}


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    with eventlet.Timeout(30):
        yield
