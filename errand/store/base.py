"""What the parts of the store have in common: a client, the keys of one Errand, and how Redis is asked with them.

Stands under `jobs.py`, `control.py` and the others, which together are the Store.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import redis

from errand.errors import StoreUnavailable
from errand.store.availability import Availability, refuse_if_away
from errand.store.script_loader import PROMISES, Argument, Client, begin, run, run_replicated
from errand.topology import Keys


@dataclass(frozen=True, slots=True)
class Pace:
    """How many mails an address may have in an hour (0: all there are), and for how many seconds a mail is tried."""

    hourly: int = 0
    give_up: float = 0.0


AT_ONCE: Final = Pace()
"""No address has too many."""


class StorePart:
    """One side of the store, on a pool of connections that threads may share."""

    def __init__(self, client: Client, keys: Keys, mail: bool = True, replicas: int = 0, pace: Pace = AT_ONCE) -> None:
        """Use `client` with the keys of one Errand; `mail`: whether notifications are sent, or marked as off.

        What others are told of is on so many `replicas` first. Mails are claimed at this `pace`.
        """
        self._client, self._keys, self._mail = client, keys, "on" if mail else "off"
        self._replicas, self._pace, self._answering = replicas, pace, Availability()

    def _run(self, script: str, *arguments: Argument) -> Any:
        """Run a script; raise StoreUnavailable."""
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
        """Send a script to Redis, and give what waits for its answer: to be called once, and in any case.

        Raises StoreUnavailable where Redis hangs; what else redis-py raises is for the caller, who may ask again.
        """
        if self._replicas and script in PROMISES:
            return partial(self._run, script, *arguments)
        self._answering.check()
        read = begin(self._client, script, self._keys.prefix, *arguments)

        def answer() -> Any:
            try:
                told = read()
            except redis.TimeoutError as fault:
                self._answering.failed(fault)
                raise StoreUnavailable() from fault
            self._answering.answered()
            return told

        return answer

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Raise StoreUnavailable when what is asked of Redis without a script can't be answered."""
        self._answering.check()
        try:
            yield
        except redis.RedisError as fault:
            self._answering.failed(fault)
            refuse_if_away(self._client, fault)
            raise
        self._answering.answered()


def fields_of(flat: list[str]) -> dict[str, str]:
    """Make a dict of what HGETALL gives inside a script: field, value and so on."""
    return dict(zip(flat[::2], flat[1::2], strict=True))
