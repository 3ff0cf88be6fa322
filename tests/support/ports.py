"""Ports for the servers that tests start."""

import os
import random

from errand.process.ports import LOCALHOST, any_free_port, port_is_free

__all__ = ["LOCALHOST", "free_port", "port_is_free", "steady_port"]

_GIVEN: set[int] = set()
_MINE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 6
"""The sixth of the steady ports that this pytest worker uses: no other worker takes one while its server is down."""


def free_port() -> int:
    """Return a port on which nobody listens."""
    return any_free_port()


def steady_port() -> int:
    """Return a port outside the system's ephemeral range, so that it stays free while its server is down."""
    while True:
        port = random.randrange(20_000 + 2_000 * _MINE, 22_000 + 2_000 * _MINE)
        if port not in _GIVEN and port_is_free(port):
            _GIVEN.add(port)
            return port
