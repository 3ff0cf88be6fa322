"""What plug-ins' services are given to reach others: `RpcProxy` asks a service, `EventDispatcher` tells all of them.

Stands beside the life of a job, on `errand/broker/cluster.py` and `errand/broker/publisher.py`. They are spelled as
nameko's of the same names; each call has a deadline, and a connection is used by one greenthread at a time.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

import eventlet
from nameko.extensions import DependencyProvider

from errand.broker.caller import Caller
from errand.broker.cluster import Cluster
from errand.broker.publisher import Publisher, event
from errand.errors import BrokerBlocked, BrokerUnavailable, CallRefused, ErrandError

KEPT = 4
"""Connections kept open for the next call, of each dependency."""


class ReplyConnection(Protocol):
    """A connection that opens by itself."""

    def is_healthy(self) -> bool:
        """Tell whether it can be used again."""
        ...


T = TypeVar("T", bound=ReplyConnection)


class ReplyConnections(Generic[T]):
    """Connections for one greenthread at a time each."""

    def __init__(self, make: Callable[[], T], close: Callable[[T], None]) -> None:
        """Make them by `make` as they are needed."""
        self._make, self._close = make, close
        self._idle: list[T] = []

    @contextmanager
    def borrowed(self) -> Iterator[T]:
        """Lend one for a `with` block."""
        line = self._idle.pop() if self._idle else self._make()
        if not line.is_healthy():
            self._close(line)
        try:
            yield line
        except ErrandError:
            raise  # what was in doubt is closed by now, and a blocked one is told when it is free again
        except BaseException:
            self._close(line)  # this greenthread may have been ended in the middle of something
            raise
        finally:
            if len(self._idle) < KEPT:
                self._idle.append(line)
            else:
                self._close(line)

    def close(self) -> None:
        """Close those that are idle."""
        while self._idle:
            self._close(self._idle.pop())


class ServiceProxy:
    """A service, as another one calls it: `self.airports.get(airport_id)`."""

    def __init__(self, lines: ReplyConnections[Caller], service: str, timeout: float) -> None:
        """Call `service`; each call is to be answered within `timeout` seconds."""
        self._lines, self._service, self._timeout = lines, service, timeout

    def __getattr__(self, method: str) -> "MethodProxy":
        """Give a method of it; whether it has one is told by the call."""
        if method.startswith("_"):
            raise AttributeError(method)
        return MethodProxy(self._lines, self._service, self._timeout, method)


class MethodProxy:
    """A method of a service, as another one calls it."""

    def __init__(self, lines: ReplyConnections[Caller], service: str, timeout: float, name: str) -> None:
        """Call it on one of `lines`."""
        self._lines, self._service, self._timeout, self._name = lines, service, timeout, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it and wait for its result.

        Raises ServiceMissing, ServiceSlow, ServiceFailed, BrokerUnavailable, CallRefused.
        """
        until = monotonic() + self._timeout
        with self._lines.borrowed() as caller:
            try:
                return getattr(Cluster(caller, until)[self._service], self._name)(*args, **kwargs)
            finally:
                caller.forget()

    def call_async(self, *args: Any, **kwargs: Any) -> "PendingReply":
        """Call it without waiting."""
        return PendingReply(eventlet.spawn(self, *args, **kwargs))


class PendingReply:
    """What a call will give."""

    def __init__(self, thread: Any) -> None:
        """Wait for the greenthread in which the call is."""
        self._thread = thread

    def result(self) -> Any:
        """Wait for it; raises as the call does."""
        return self._thread.wait()


class RpcProxy(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects another service: `airports = RpcProxy("airports_service")`, then `self.airports.get(airport_id)`."""

    def __init__(self, service: str, timeout: float = 10.0) -> None:
        """Call `service`; each call is to be answered within `timeout` seconds."""
        super().__init__()
        self._service, self._timeout = service, timeout

    def setup(self) -> None:
        """Connect to nothing yet."""
        uri = self.container.config["AMQP_URI"]
        self._lines: ReplyConnections[Caller] = ReplyConnections(lambda: Caller(uri), Caller.stop)

    def stop(self) -> None:
        """Close the connections."""
        self._lines.close()

    def get_dependency(self, worker_ctx: Any) -> ServiceProxy:
        """Give the service."""
        return ServiceProxy(self._lines, self._service, self._timeout)


class EventDispatcher(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects what tells others of an event: `self.dispatch("saved", {"id": 7})`; its handlers get the payload."""

    def setup(self) -> None:
        """Connect to nothing yet."""
        uri = self.container.config["AMQP_URI"]
        self._lines: ReplyConnections[Publisher] = ReplyConnections(lambda: Publisher(uri), Publisher.close)

    def stop(self) -> None:
        """Close the connections."""
        self._lines.close()

    def get_dependency(self, worker_ctx: Any) -> Callable[[str, Any], None]:
        """Give the dispatching function."""
        return self._dispatch

    def _dispatch(self, event_type: str, payload: Any) -> None:
        """Return when the broker has the event; raises CallRefused for what isn't JSON, and BrokerUnavailable."""
        try:
            text = json.dumps(payload, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as fault:
            raise CallRefused(reason=str(fault)) from None
        message = event(self.container.service_name, event_type, text)
        with self._lines.borrowed() as publisher:
            try:
                publisher.publish([message])
            except BrokerBlocked:
                raise
            except BrokerUnavailable:
                publisher.publish([message])  # on a new connection, once
