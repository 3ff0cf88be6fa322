"""Real stores for tests: the embedded Valkey, and the system's Redis if installed, with faults to inject."""

import itertools
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from errand.embedded.valkey import Valkey
from errand.process.ports import LOCALHOST
from errand.process.waiting import until
from tests.support.ports import free_port

DATABASES = 4096
"""One for each test that uses it as a broker; an empty one costs nothing."""


class Server(Valkey):
    """A server for one test run, with fresh databases on request."""

    def __init__(self, folder: Path, binary: str | None = None, *options: str) -> None:
        """Choose a port; nothing is started. `options` are added to the command, and win."""
        super().__init__(folder, free_port(), binary=binary, databases=DATABASES)
        self._databases = itertools.cycle(range(1, DATABASES))
        self._options = options

    def fresh_url(self) -> str:
        """Return the address of a database that no other test uses."""
        return self.url(next(self._databases))

    def restart(self) -> None:
        """Stop it cleanly and start it again, with the same port and data."""
        self.stop()
        self.start()

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Kill it with -9, and start it again on the same port and data at the end of the `with`."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Pause it: it accepts connections and answers nothing."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Fill its memory, so that it refuses writes."""
        self.configure("maxmemory", "1")
        try:
            yield
        finally:
            self.configure("maxmemory", "0")

    def configure(self, name: str, value: str) -> None:
        """Change an option while it runs."""
        with self.admin() as admin:
            admin.config_set(name, value)

    def admin(self) -> redis.Redis:
        """Make a client for what an operator would do; to be closed."""
        return redis.Redis(host=LOCALHOST, port=self.port, decode_responses=True)

    def follow(self, primary: "Server") -> None:
        """Become a replica of `primary`, and return when all its replicas get what is written."""
        with self.admin() as admin, primary.admin() as writer:
            admin.replicaof(LOCALHOST, str(primary.port))
            until(lambda: admin.info("replication").get("master_link_status") == "up", 10, "a replica in sync")
            count = writer.info("replication")["connected_slaves"]
            until(lambda: writer.set("followed", "1") and writer.wait(count, 100) == count, 10, "replicas that answer")

    def promote(self) -> None:
        """Stop being a replica."""
        with self.admin() as admin:
            admin.replicaof("NO", "ONE")

    def move_to(self, port: int) -> None:
        """Listen on another port; connections that stand stay, as with an address that is given to another machine."""
        self.configure("port", str(port))
        self.port = port

    def _command(self) -> list[str]:
        # a replica is wanted at once, and isn't waited for at the end
        quick = ["--repl-diskless-sync-delay", "0", "--shutdown-timeout", "0"]
        return [*super()._command(), *quick, *self._options]


def redis_binary() -> str | None:
    """Find the system's Redis."""
    return shutil.which("redis-server")


@contextmanager
def running(folder: Path, binary: str | None = None, *options: str) -> Iterator[Server]:
    """Run a server for the duration of a `with`."""
    server = Server(folder, binary, *options)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def forget(url: str, prefix: str) -> None:
    """Remove the keys with this prefix, and no others."""
    with redis.Redis.from_url(url) as client:
        if keys := list(client.scan_iter(match=f"{prefix}*", count=1000)):
            client.unlink(*keys)


def contents(server: Server, prefix: str) -> dict[str, object]:
    """Return everything that stands under the prefix, to be compared."""
    with server.admin() as admin:
        readers = {
            "string": admin.get,
            "hash": admin.hgetall,
            "set": admin.smembers,
            "zset": lambda key: admin.zrange(key, 0, -1, withscores=True),
            "list": lambda key: admin.lrange(key, 0, -1),
            "stream": admin.xrange,
        }
        return {key: readers[admin.type(key)](key) for key in admin.scan_iter(match=f"{prefix}*", count=1000)}
