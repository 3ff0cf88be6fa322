"""`RpcProxy`: the dependency with which a plug-in's service calls another service.

It is spelled like nameko's class of the same name. Every call has a deadline, and a connection serves one greenthread
at a time. Next: `errand/broker/cluster_proxy.py`.
"""

from time import monotonic
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider

from errand.broker.caller import Caller
from errand.broker.cluster_proxy import Cluster
from workers.plugins.connections import IdleConnections


class ServiceProxy:
    """A service as its callers see it: `self.airports.get(airport_id)`."""

    def __init__(self, connections: IdleConnections[Caller], service: str, timeout: float) -> None:
        """Call `service`; each call must be answered within `timeout` seconds."""
        self._connections, self._service, self._timeout = connections, service, timeout

    def __getattr__(self, method: str) -> "MethodProxy":
        """Return a method of the service; only a call finds out whether the service has it."""
        if method.startswith("_"):
            raise AttributeError(method)
        return MethodProxy(self._connections, self._service, self._timeout, method)


class MethodProxy:
    """A method of a service as its callers see it."""

    def __init__(self, connections: IdleConnections[Caller], service: str, timeout: float, name: str) -> None:
        """Call the method `name` on one of `connections`."""
        self._connections, self._service, self._timeout, self._name = connections, service, timeout, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method and return its result.

        Raises ServiceMissing, ServiceSlow, ServiceFailed, BrokerUnavailable, CallRefused.
        """
        until = monotonic() + self._timeout
        with self._connections.borrowed() as caller:
            try:
                return getattr(Cluster(caller, until)[self._service], self._name)(*args, **kwargs)
            finally:
                caller.forget()

    def call_async(self, *args: Any, **kwargs: Any) -> "PendingReply":
        """Start the call without waiting for its result."""
        return PendingReply(eventlet.spawn(self, *args, **kwargs))


class PendingReply:
    """The reply to a call that is still running."""

    def __init__(self, thread: Any) -> None:
        """Take the greenthread that makes the call."""
        self._thread = thread

    def result(self) -> Any:
        """Wait for the result; raises what the call raises."""
        return self._thread.wait()


class RpcProxy(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects another service: `airports = RpcProxy("airports_service")`, then `self.airports.get(airport_id)`."""

    def __init__(self, service: str, timeout: float = 10.0) -> None:
        """Call `service`; each call must be answered within `timeout` seconds."""
        super().__init__()
        self._service, self._timeout = service, timeout

    def setup(self) -> None:
        """Prepare the connections; none is opened before the first call."""
        uri = self.container.config["AMQP_URI"]
        self._connections: IdleConnections[Caller] = IdleConnections(lambda: Caller(uri), Caller.stop)

    def stop(self) -> None:
        """Close the connections."""
        self._connections.close()

    def get_dependency(self, worker_ctx: Any) -> ServiceProxy:
        """Return the service's proxy."""
        return ServiceProxy(self._connections, self._service, self._timeout)
