"""Ports that are free, and waiting for something to become true.

Stands before anything is started: `valkey.py`, `run.py` and `demo.py` ask here.
"""

import socket
import time
from collections.abc import Callable
from typing import TypeVar

LOCALHOST = "127.0.0.1"

Answer = TypeVar("Answer")

_claims: list[socket.socket] = []


class NeverHappened(Exception):
    """What was waited for did not happen in time."""


def until(happened: Callable[[], Answer | None], seconds: float, what: str, pause: float = 0.05) -> Answer:
    """Ask `happened` until its answer is true, and give that answer; raise NeverHappened after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = happened()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise NeverHappened(f"{what}: not within {seconds:g} s")
        time.sleep(pause)


def port_is_free(port: int, host: str = LOCALHOST) -> bool:
    """Tell whether a server could listen on `port` of `host` now."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # as servers do: a port that only waits for its last packets is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
        return True


def free_port(preferred: int, host: str = LOCALHOST) -> int:
    """Give `preferred`, or the next port above it that is free, or else any that is.

    No other Errand here gets it while this process lives: those that start at once would all choose the same.
    """
    for port in range(preferred, min(preferred + 50, 65536)):
        if port_is_free(port, host) and _claim(port):
            return port
    return any_free_port(host)


def _claim(port: int) -> bool:
    """Claim a port until this process ends; False where somebody else has. Its UDP twin, which nobody uses, says so."""
    claim = socket.socket(type=socket.SOCK_DGRAM)
    try:
        claim.bind((LOCALHOST, port))
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


def any_free_port(host: str = LOCALHOST) -> int:
    """Give a port that the system says is free."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
