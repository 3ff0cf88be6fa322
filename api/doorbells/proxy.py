"""flask_nameko's pooled proxy, with a connection that rings doorbells in place of nameko's RPC client.

The relay hands job ids over here. Next: `errand/broker/publisher.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flask_nameko.errors import ClientUnavailableError
from flask_nameko.proxies import PooledClusterRpcProxy

from errand.broker.publisher import Publisher
from errand.errors import BrokerBlocked


class DoorbellProxy(PooledClusterRpcProxy):  # type: ignore[misc]  # flask_nameko has no annotations
    """A pool of one publisher, for one thread. A doorbell has no reply, so there is no reply queue and no consumer.

    flask_nameko's pool connects too early, hangs while it recycles, and hands out dead connections (decision 2). Here
    it does none of that: a publisher connects at its first use and is checked before each use; none is recycled.
    """

    def __init__(self, amqp_uri: str) -> None:
        """Connect to nothing yet, as a fork may follow; raise flask_nameko's BadConfigurationError for an empty URI."""
        super().__init__()
        self._amqp_uri = amqp_uri
        self.configure({"AMQP_URI": amqp_uri, "INITIAL_CONNECTIONS": 0, "MAX_CONNECTIONS": 1})

    @contextmanager
    def publisher(self) -> Iterator[Publisher]:
        """Yield the publisher, either connected or not connected yet; an exception in the block closes it.

        A blocked publisher stays open: RabbitMQ notifies only that connection when it may publish again.
        """
        publisher = self.get_connection()
        try:
            if not publisher.is_healthy():
                publisher.close()
            yield publisher
        except BrokerBlocked:
            raise
        except BaseException:
            publisher.close()
            raise
        finally:
            self.release_connection(publisher)

    def close(self) -> None:
        """Close the connection, unless a thread still uses it."""
        with suppress(ClientUnavailableError), self.publisher() as publisher:
            publisher.close()

    def _get_nameko_connection(self) -> Publisher:
        return Publisher(self._amqp_uri)
