"""Ports for servers of tests; the product's own way of finding them serves here too."""

import os
import random

from errand.embedded.wait import LOCALHOST, any_free_port, port_is_free, until

__all__ = ["LOCALHOST", "free_port", "port_is_free", "steady_port", "until"]

_GIVEN: set[int] = set()
_MINE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 6
"""Which sixth of the steady ports this process of the tests gives: another must not take one whose server is down."""


def free_port() -> int:
    """Give a port on which nobody listens."""
    return any_free_port()


def steady_port() -> int:
    """Give a port that stays free while its server is down: none that the system gives to connections meanwhile."""
    while True:
        port = random.randrange(20_000 + 2_000 * _MINE, 22_000 + 2_000 * _MINE)
        if port not in _GIVEN and port_is_free(port):
            _GIVEN.add(port)
            return port
