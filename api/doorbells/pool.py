"""A pool of broker connections: opened at first use, looked at before each use, dropped when in doubt.

Stands under the relay (step 2 of a job's life), in place of flask_nameko's own pool. Next:
`errand/broker/publisher.py`, which publishes on such a connection.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Generic, Protocol, TypeVar

from flask_nameko.errors import ClientUnavailableError

from errand.errors import BrokerBlocked


class Poolable(Protocol):
    """What a connection must tell the pool."""

    def is_healthy(self) -> bool:
        """Tell whether it can be used again."""
        ...

    def stop(self) -> None:
        """Close it; must not raise."""
        ...


T = TypeVar("T", bound=Poolable)


class ConnectionPool(Generic[T]):
    """Hands each connection to one user at a time. No lock is held while anybody waits, connects or closes."""

    def __init__(self, connect: Callable[[], T], most: int = 8, patience: float = 1.0, recycle: float = 0.0) -> None:
        """Make up to `most` connections by `connect`; a user waits `patience` seconds for one to come free.

        A connection older than `recycle` seconds is replaced (0: never).
        """
        self._connect, self._patience, self._recycle = connect, patience, recycle
        self._places = BoundedSemaphore(most)
        self._idle: deque[tuple[T, float]] = deque()  # with the time of its birth
        self._taken: dict[int, float] = {}
        self._lock = Lock()  # held for a dictionary's change, never longer
        self._owner = os.getpid()

    def take(self, patience: float | None = None) -> T:
        """Take a healthy connection; raise ClientUnavailableError when all stay in use for `patience` seconds."""
        self._forget_after_fork()
        if not self._places.acquire(timeout=self._patience if patience is None else patience):
            raise ClientUnavailableError("Too many connections in use")
        try:
            connection, born = self._idle_or_new()
        except BaseException:
            self._places.release()
            raise
        with self._lock:
            self._taken[id(connection)] = born
        return connection

    def give_back(self, connection: T, *, broken: bool = False) -> None:
        """Give a connection back, once; a broken or old one is closed instead of kept."""
        with self._lock:
            born = self._taken.pop(id(connection), None)
        if born is None:
            return  # given back before: it may be somebody else's by now
        if broken or self._is_old(born):
            connection.stop()
        else:
            self._idle.append((connection, born))
        self._places.release()

    @contextmanager
    def borrowed(self) -> Iterator[T]:
        """Lend a connection for a `with` block; an exception inside drops it, but not that the broker is blocked."""
        connection = self.take()
        try:
            yield connection
        except BrokerBlocked:
            self.give_back(connection)  # it stands, and is the one that is told when it is free again
            raise
        except BaseException:
            self.give_back(connection, broken=True)
            raise
        self.give_back(connection)

    def close(self) -> None:
        """Close the idle connections; those in use are closed by nobody, as their users still hold them."""
        while self._idle:
            self._idle.pop()[0].stop()

    def _idle_or_new(self) -> tuple[T, float]:
        while True:
            try:
                connection, born = self._idle.pop()  # the one used last: it is the least likely to have died
            except IndexError:
                return self._connect(), monotonic()
            if not self._is_old(born) and connection.is_healthy():
                return connection, born
            connection.stop()

    def _is_old(self, born: float) -> bool:
        return bool(self._recycle) and monotonic() - born > self._recycle

    def _forget_after_fork(self) -> None:
        if self._owner != os.getpid():
            # the sockets belong to the parent: forget them without a word to the broker
            self._idle.clear()
            self._taken.clear()
            self._owner = os.getpid()
