"""A pool of connections on which routes of plug-ins call services: `api/extending.py` lends them."""

import os
from collections import deque
from collections.abc import Callable
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Generic, Protocol, TypeVar

from flask_nameko.errors import ClientUnavailableError


class Poolable(Protocol):
    """What the pool needs of a connection."""

    def is_healthy(self) -> bool:
        """Return whether the connection can be used again."""
        ...

    def stop(self) -> None:
        """Close the connection; must not raise."""
        ...


T = TypeVar("T", bound=Poolable)


class CallerPool(Generic[T]):
    """Lends each connection to one thread at a time. It holds no lock while a thread waits, connects or closes.

    Connections are opened at first use and checked before each use. flask_nameko's own pool fails
    with many threads: they wait for its lock one after the other, and one slow connection stalls them all.
    """

    def __init__(self, connect: Callable[[], T], size: int = 8, recycle_seconds: float = 0.0) -> None:
        """Make up to `size` connections by `connect`, and replace those older than `recycle_seconds` (0: never)."""
        self._connect, self._recycle_seconds = connect, recycle_seconds
        self._free = BoundedSemaphore(size)
        self._idle: deque[tuple[T, float]] = deque()  # each with the time at which it was made
        self._lent: dict[int, float] = {}
        self._lock = Lock()  # held while a dictionary changes, never longer
        self._owner = os.getpid()

    def take(self, wait_seconds: float = 1.0) -> T:
        """Take a healthy connection; raise ClientUnavailableError if all stay in use for `wait_seconds`."""
        self._forget_after_fork()
        if not self._free.acquire(timeout=wait_seconds):
            raise ClientUnavailableError("Too many connections in use")
        try:
            connection, made_at = self._idle_or_new()
        except BaseException:
            self._free.release()
            raise
        with self._lock:
            self._lent[id(connection)] = made_at
        return connection

    def give_back(self, connection: T) -> None:
        """Return a connection to the pool, once; the pool closes an old one instead of keeping it."""
        with self._lock:
            made_at = self._lent.pop(id(connection), None)
        if made_at is None:
            return  # returned before: by now another thread may use it
        if self._is_old(made_at):
            connection.stop()
        else:
            self._idle.append((connection, made_at))
        self._free.release()

    def close(self) -> None:
        """Close the idle connections. Those in use stay open: their users still hold them."""
        while self._idle:
            self._idle.pop()[0].stop()

    def _idle_or_new(self) -> tuple[T, float]:
        while True:
            try:
                connection, made_at = self._idle.pop()  # the one used last is the least likely to have died
            except IndexError:
                return self._connect(), monotonic()
            if not self._is_old(made_at) and connection.is_healthy():
                return connection, made_at
            connection.stop()

    def _is_old(self, made_at: float) -> bool:
        return bool(self._recycle_seconds) and monotonic() - made_at > self._recycle_seconds

    def _forget_after_fork(self) -> None:
        if self._owner != os.getpid():
            # the sockets belong to the parent process, so they are not closed here
            self._idle.clear()
            self._lent.clear()
            self._owner = os.getpid()
