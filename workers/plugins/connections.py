"""Open connections of one dependency, lent to one greenthread at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from errand.errors import ErrandError

KEPT = 4
"""Idle connections that each dependency keeps open."""


class Reusable(Protocol):
    """A connection that opens by itself when it is first used."""

    def is_healthy(self) -> bool:
        """Return whether it can be used again."""
        ...


T = TypeVar("T", bound=Reusable)


class IdleConnections(Generic[T]):
    """Lends connections, each to one greenthread at a time, and keeps a few idle ones open."""

    def __init__(self, make: Callable[[], T], close: Callable[[T], None]) -> None:
        """Make connections with `make` when no idle one is left; close surplus and broken ones with `close`."""
        self._make, self._close = make, close
        self._idle: list[T] = []

    @contextmanager
    def borrowed(self) -> Iterator[T]:
        """Lend a connection for a `with` block."""
        connection = self._idle.pop() if self._idle else self._make()
        if not connection.is_healthy():
            self._close(connection)
        try:
            yield connection
        except ErrandError:
            raise  # a broken connection is closed by now, and a blocked one learns when the broker takes messages again
        except BaseException:
            self._close(connection)  # this greenthread may have been killed in the middle of an exchange
            raise
        finally:
            if len(self._idle) < KEPT:
                self._idle.append(connection)
            else:
                self._close(connection)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._close(self._idle.pop())
