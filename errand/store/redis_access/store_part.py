"""What all parts of the store share: a client, the keys of one Errand, and how scripts are run with them.

Next: `errand/store/jobs.py`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import redis

from errand.errors import StoreUnavailable
from errand.store.redis_access.availability import Availability, refuse_if_away
from errand.store.redis_access.script_loader import PROMISES, Argument, Client, begin, run, run_replicated
from errand.topology import Keys


@dataclass(frozen=True, slots=True)
class Pace:
    """Maximum number of mails per address and hour (0: no limit), and seconds after which a mail is given up."""

    hourly: int = 0
    give_up: float = 0.0


AT_ONCE: Final = Pace()
"""No limit."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Seconds for which ended jobs are kept, by the status in which they ended."""

    succeeded: int
    failed: int
    cancelled: int


A_DAY: Final = Retention(86_400, 86_400, 86_400)
"""A day for every job."""


class StorePart:
    """One part of the store, on a pool of connections that threads may share."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        mail: bool = True,
        replicas: int = 0,
        pace: Pace = AT_ONCE,
        *,
        retention: Retention = A_DAY,
    ) -> None:
        """Use `client` with the keys of one Errand. Without `mail`, mails are recorded as switched off.

        Answers are held back until the changes are on so many `replicas`. Mails are claimed at this `pace`. Ended jobs
        are kept for their `retention`.
        """
        self._client, self._keys, self._mail = client, keys, "on" if mail else "off"
        self._replicas, self._pace, self._answering = replicas, pace, Availability()
        self._kept_ms = Retention(retention.succeeded * 1000, retention.failed * 1000, retention.cancelled * 1000)

    def _run(self, script: str, *arguments: Argument) -> Any:
        """Run a script. Raises StoreUnavailable."""
        self._answering.check()
        try:
            if self._replicas and script in PROMISES:
                answer = run_replicated(self._client, self._replicas, script, self._keys.prefix, *arguments)
            else:
                answer = run(self._client, script, self._keys.prefix, *arguments)
        except StoreUnavailable as fault:
            self._answering.failed(fault.__cause__)
            raise
        self._answering.answered()
        return answer

    def _begin(self, script: str, *arguments: Argument) -> Callable[[], Any]:
        """Send a script to Redis; return a function that waits for its answer. It must be called exactly once.

        Raises StoreUnavailable if Redis hangs. Other errors of redis-py pass through: the caller may try again.
        """
        if self._replicas and script in PROMISES:
            return partial(self._run, script, *arguments)
        self._answering.check()
        read = begin(self._client, script, self._keys.prefix, *arguments)

        def answer() -> Any:
            try:
                reply = read()
            except redis.TimeoutError as fault:
                self._answering.failed(fault)
                raise StoreUnavailable() from fault
            self._answering.answered()
            return reply

        return answer

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Raise StoreUnavailable if a command inside this `with`, which is no script, can't be answered."""
        self._answering.check()
        try:
            yield
        except redis.RedisError as fault:
            self._answering.failed(fault)
            refuse_if_away(self._client, fault)
            raise
        self._answering.answered()


def fields_of(flat: list[str]) -> dict[str, str]:
    """Make a dict of what HGETALL returns inside a script: field, value, field, value ..."""
    return dict(zip(flat[::2], flat[1::2], strict=True))
