"""Periodic work: in every instance, and in only one of all instances."""

import os
import socket
from typing import Any

import redis

from workers.extending import DependencyProvider, rpc, settings_of, timer

LATELY = 5.0
"""How long an instance counts after it worked, in seconds."""


class Log:
    """Records which instance did which work when, by the clock of Redis, as instances may run on several machines."""

    def __init__(self, client: Any, prefix: str) -> None:
        """Keep the records with `client`, under keys that begin with `prefix`."""
        self._client, self._prefix = client, f"{prefix}timer:"
        self.me = f"{socket.gethostname()}:{os.getpid()}"

    def note(self, work: str) -> None:
        """Record that this instance has just done the work."""
        self._client.zadd(self._prefix + work, {self.me: self._now()})

    def lately(self, work: str) -> list[str]:
        """Return the instances that did the work lately."""
        self._client.zremrangebyscore(self._prefix + work, "-inf", self._now() - LATELY)
        instances: list[str] = self._client.zrange(self._prefix + work, 0, -1)
        return instances

    def _now(self) -> float:
        seconds, microseconds = self._client.time()
        return float(seconds + microseconds / 1_000_000)


class WorkLog(DependencyProvider):
    """Injects the log."""

    def setup(self) -> None:
        settings = settings_of(self)
        options = {"socket_timeout": 2, "socket_connect_timeout": 2}
        client = redis.Redis.from_url(settings.redis_url, decode_responses=True, **options)
        self._log = Log(client, settings.key_prefix)

    def get_dependency(self, worker_ctx: Any) -> Log:
        return self._log


class TimerService:
    """Works every second."""

    name = "timer_service"
    log = WorkLog()

    @timer(interval=1)
    def sweep(self) -> None:
        """Do the work of every instance, such as emptying a cache."""
        self.log.note("each")

    @timer(interval=1, once=True)
    def report(self) -> None:
        """Do the work of one instance, such as writing a report; if it dies, another takes over."""
        self.log.note("once")

    @rpc
    def instances(self) -> dict[str, list[str]]:
        return {"each": self.log.lately("each"), "once": self.log.lately("once")}
