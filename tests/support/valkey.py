"""Real stores for tests: the embedded Valkey, and the system's Redis where there is one."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from errand.embedded.valkey import Valkey
from tests.support.ports import free_port

DATABASES = 4096
"""One for each test that uses it as a broker; an empty one costs nothing."""


class Server(Valkey):
    """A server for one test run, with a fresh database for whoever needs one."""

    def __init__(self, folder: Path, binary: str | None = None) -> None:
        """Choose a port; nothing is started."""
        super().__init__(folder, free_port(), binary=binary, databases=DATABASES)
        self._databases = itertools.cycle(range(1, DATABASES))

    def fresh_url(self) -> str:
        """Give the address of a database that no other test uses."""
        return self.url(next(self._databases))

    def restart(self) -> None:
        """Stop it in good order and start it again, on the same port and data."""
        self.stop()
        self.start()


def redis_binary() -> str | None:
    """Find the system's Redis."""
    return shutil.which("redis-server")


@contextmanager
def running(folder: Path, binary: str | None = None) -> Iterator[Server]:
    """Run a server for the time of a `with`."""
    server = Server(folder, binary)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def forget(url: str, prefix: str) -> None:
    """Remove the keys with this prefix, and no others."""
    with redis.Redis.from_url(url) as client:
        if keys := list(client.scan_iter(match=f"{prefix}*", count=1000)):
            client.unlink(*keys)
