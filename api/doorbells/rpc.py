"""flask_nameko's pooled ClusterRpcProxy, made safe for calls that nobody waits for.

Stands at step 2 of a job's life: `rpc.compute.run.call_async(job_id)` rings a doorbell. There is no reply queue,
nothing is kept per call, and `flush()` waits for the confirms of all calls at once. Next: `pool.py`, which holds the
connections.
"""

import logging
from typing import Any

from flask import Flask, g
from flask_nameko import FlaskPooledClusterRpcProxy
from flask_nameko.errors import BadConfigurationError
from nameko.rpc import ReplyListener
from nameko.standalone.rpc import ClusterRpcProxy

from api.doorbells.pool import ConnectionPool
from errand.broker.publisher import Message, Publisher, doorbell
from errand.errors import BrokerUnavailable

log = logging.getLogger(__name__)

MOST_CONNECTIONS, PATIENCE_SECONDS, RECYCLE_SECONDS = 8, 1.0, 3600.0


class NoReplies(ReplyListener):  # type: ignore[misc]  # nameko has no annotations
    """Listens to nothing: a doorbell has no reply, so there is no queue, no consumer and no dictionary that grows."""

    def __init__(self, timeout: float | None = None) -> None:
        """Take the timeout that nameko passes; there is nothing to wait for."""
        super().__init__()

    def setup(self) -> None:
        """Declare nothing."""

    def stop(self) -> None:
        """Stop nothing."""


class DoorbellMethod:
    """`cluster.<service>.<method>`: what it is called with is the id of a job, and nothing else travels."""

    def __init__(self, service: str, window: list[Message]) -> None:
        """Collect calls to `service` in `window`."""
        self._service, self._window = service, window

    def call_async(self, job_id: str) -> None:
        """Put a doorbell in the window; it is rung by `flush()`."""
        self._window.append(doorbell(self._service, job_id))


class DoorbellService:
    """`cluster.<service>`: every method of it is a doorbell."""

    def __init__(self, service: str, window: list[Message]) -> None:
        """Collect calls to `service` in `window`."""
        self._service, self._window = service, window

    def __getattr__(self, method: str) -> DoorbellMethod:
        """Give the method; its name is for the reader, the queue is the service's."""
        if method.startswith("_"):
            raise AttributeError(method)
        return DoorbellMethod(self._service, self._window)


class DoorbellCluster(ClusterRpcProxy):  # type: ignore[misc]  # nameko has no annotations
    """nameko's ClusterRpcProxy on a publisher of ours instead of a reply consumer."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Publish to the broker of `config["AMQP_URI"]`; nothing is opened yet."""
        super().__init__(config, reply_listener_cls=NoReplies)
        self._publisher = Publisher(config["AMQP_URI"])
        self._window: list[Message] = []
        self._proxy = self

    def __getattr__(self, service: str) -> DoorbellService:
        """Give the service of this name."""
        if service.startswith("_"):
            raise AttributeError(service)
        return DoorbellService(service, self._window)

    __getitem__ = __getattr__

    def connect(self) -> None:
        """Open the connection, unless it is; raise BrokerUnavailable."""
        self._publisher.connect()

    def flush(self) -> None:
        """Publish what was called and wait for the confirms; raise BrokerUnavailable when it isn't certain."""
        window, self._window[:] = self._window[:], []
        if window:
            self._publisher.publish(window)

    def probe(self) -> None:
        """Raise BrokerUnavailable unless the broker takes messages."""
        self._publisher.probe()

    def is_healthy(self) -> bool:
        """Tell whether the connection still stands."""
        return self._publisher.is_healthy()

    def stop(self) -> None:
        """Close the connection, whatever state it is in."""
        self._publisher.close()


class PooledRpc(FlaskPooledClusterRpcProxy):  # type: ignore[misc]  # flask_nameko has no annotations
    """flask_nameko's extension with our pool: `init_app` connects to nothing, a request gives back what it took.

    What a request called is published when it ends, or earlier by `flush()` on its connection.
    """

    _pool: ConnectionPool[DoorbellCluster]

    def configure(self, config: dict[str, Any]) -> None:
        """Take the settings flask_nameko knows: AMQP_URI, MAX_CONNECTIONS, POOL_RECYCLE (seconds)."""
        if not config.get("AMQP_URI"):
            raise BadConfigurationError("Please provide a valid configuration.")
        self._config = config
        self._pool = ConnectionPool(
            self._get_nameko_connection,
            most=config.get("MAX_CONNECTIONS", MOST_CONNECTIONS),
            patience=PATIENCE_SECONDS,
            recycle=config.get("POOL_RECYCLE", RECYCLE_SECONDS),
        )

    @property
    def pool(self) -> ConnectionPool[DoorbellCluster]:
        """The pool, for users outside a request (the relay)."""
        return self._pool

    def init_app(self, app: Flask) -> None:
        """Read `NAMEKO_…` from the app's config and give connections back at the end of each request."""
        names = (name for name in app.config if name.startswith("NAMEKO_"))
        self.configure({name.removeprefix("NAMEKO_"): app.config[name] for name in names})
        app.teardown_appcontext(self._teardown_nameko_connection)

    def get_connection(self) -> DoorbellCluster:
        """Give this request's connection, taking one from the pool at the first call."""
        if "_nameko_connection" not in g:
            g._nameko_connection = self._pool.take()
        connection: DoorbellCluster = g._nameko_connection
        return connection

    def _get_nameko_connection(self) -> DoorbellCluster:
        return DoorbellCluster(self._config)

    def _teardown_nameko_connection(self, exception: BaseException | None) -> None:
        connection: DoorbellCluster | None = g.pop("_nameko_connection", None)
        if connection is None:
            return
        broken = exception is not None
        try:
            connection.flush()
        except BrokerUnavailable as fault:
            broken = True
            log.warning("A call of this request got lost: %s", fault, extra={"action": "call_lost"})
        self._pool.give_back(connection, broken=broken)
