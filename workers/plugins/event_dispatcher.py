"""`EventDispatcher`: the dependency with which a plug-in's service publishes events.

It is spelled like nameko's class of the same name. Next: `errand/broker/publisher.py`.
"""

import json
from collections.abc import Callable
from typing import Any

from nameko.extensions import DependencyProvider

from errand.broker.messages import event
from errand.broker.publisher import Publisher
from errand.errors import BrokerBlocked, BrokerUnavailable, CallRefused
from workers.plugins.connections import IdleConnections


class EventDispatcher(DependencyProvider):  # type: ignore[misc]  # nameko has no annotations
    """Injects a function that publishes an event: `self.dispatch("saved", {"id": 7})`; handlers get the payload."""

    def setup(self) -> None:
        """Prepare the connections; none is opened before the first event."""
        uri = self.container.config["AMQP_URI"]
        self._connections: IdleConnections[Publisher] = IdleConnections(lambda: Publisher(uri), Publisher.close)

    def stop(self) -> None:
        """Close the connections."""
        self._connections.close()

    def get_dependency(self, worker_ctx: Any) -> Callable[[str, Any], None]:
        """Return the function that publishes."""
        return self._dispatch

    def _dispatch(self, event_type: str, payload: Any) -> None:
        """Return once the broker has the event; raise CallRefused if the payload isn't JSON, or BrokerUnavailable."""
        try:
            text = json.dumps(payload, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as fault:
            raise CallRefused(reason=str(fault)) from None
        message = event(self.container.service_name, event_type, text)
        with self._connections.borrowed() as publisher:
            try:
                publisher.publish([message])
            except BrokerBlocked:
                raise
            except BrokerUnavailable:
                publisher.publish([message])  # once more, on a new connection
