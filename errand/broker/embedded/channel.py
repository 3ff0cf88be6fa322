"""Routes messages on the embedded broker by the bindings in Redis, and deletes the queues of dead processes."""

from contextlib import suppress
from typing import Any

from kombu.exceptions import ChannelError

from errand.broker.embedded.dead_owners import owner_is_dead
from errand.broker.embedded.fetching import FetchingChannel
from errand.topology import DELIVERIES, owner

DECLARED = "_kombu.queues"
"""Set of the declared queues, beside kombu's own `_kombu.binding.*`: an empty queue has no key of its own."""
REPLY_MS = 300_000
"""How long a reply that nobody fetches is kept; nameko's reply queues on RabbitMQ last as long."""


class EmbeddedChannel(FetchingChannel):
    """A channel that routes by the bindings in Redis, not by what this connection happened to declare."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Open the channel; raises kombu's connection errors."""
        self._own: set[str] = set()
        super().__init__(*args, **kwargs)

    # ---- routing ----

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> list[str]:
        """Find the queues by the bindings in Redis: a binding of a topic exchange is stored with its pattern."""
        if not exchange:
            return [routing_key]
        topic = self.exchange_types["topic"]
        return list(
            {
                row[2]
                for row in self.get_table(exchange)
                if (topic.lookup([row], exchange, routing_key, default) if row[1] else row[0] == routing_key)
                and not self._drop_if_owner_is_dead(exchange, *row)
            }
        )

    def basic_publish(
        self, message: dict[str, Any], exchange: str, routing_key: str, mandatory: bool = False, **kwargs: Any
    ) -> Any:
        """Publish; raise ChannelError if the message is mandatory and no queue takes it, as RabbitMQ returns it."""
        if mandatory and not (self._lookup(exchange, routing_key) if exchange else self._has_queue(routing_key)):
            raise ChannelError(f"NO_ROUTE - no queue for {routing_key!r}", (60, 40), "Channel.basic_publish", "312")
        return super().basic_publish(message, exchange, routing_key, **kwargs)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        super()._put(queue, message, **kwargs)
        properties = message["properties"]
        if properties.get("correlation_id") and not properties.get("reply_to"):
            # a reply: if its caller is gone, nobody will ever fetch it
            with self.conn_or_acquire() as client:
                client.pexpire(self._q_for_pri(queue, self._get_message_priority(message)), REPLY_MS)

    def _get_message_priority(self, message: Any, reverse: bool = False) -> int:
        """Higher is sooner, as in AMQP; kombu's Redis transport has it the other way round."""
        return int(super()._get_message_priority(message, reverse=not reverse))

    def _do_restore_message(self, payload: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        """Put a message back into its queue, and count its deliveries, as RabbitMQ does."""
        if isinstance(headers := payload.get("headers"), dict):
            times = headers.get(DELIVERIES)
            headers[DELIVERIES] = times + 1 if isinstance(times, int) else 1
        super()._do_restore_message(payload, *args, **kwargs)

    # ---- queues ----

    def _new_queue(self, queue: str, auto_delete: bool = False, **kwargs: Any) -> None:
        super()._new_queue(queue, auto_delete=auto_delete, **kwargs)
        if queue not in self._expires:
            with self.conn_or_acquire() as client:
                client.sadd(DECLARED, queue)

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        with self.conn_or_acquire() as client:
            return bool(client.sismember(DECLARED, queue)) or bool(super()._has_queue(queue, **kwargs))

    def queue_bind(self, queue: str, exchange: str | None = None, *args: Any, **kwargs: Any) -> None:
        """Bind, and write it to Redis even if this connection did so before: the server may have lost it since."""
        routing_key = args[0] if args else kwargs.get("routing_key", "")
        if exchange:
            for row in self.get_table(exchange):
                self._drop_if_owner_is_dead(exchange, *row)
        self.state.binding_delete(queue, exchange or "amq.direct", routing_key)
        super().queue_bind(queue, exchange, *args, **kwargs)

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **kwargs: Any) -> None:
        """Delete the queue, bound or not."""
        if if_empty and self._size(queue):
            return
        super().queue_delete(queue, **kwargs)
        with self.conn_or_acquire() as client:
            client.srem(DECLARED, queue)
        self.queue_purge(queue)

    def _drop_if_owner_is_dead(self, exchange: str, key: str, pattern: str, queue: str) -> bool:
        """Delete a queue whose only reader died without closing it; nobody else would."""
        if dead := owner_is_dead(queue):
            self._delete(queue, exchange, key, pattern)
        return dead

    # ---- the end ----

    def basic_consume(self, queue: str, no_ack: bool = False, *args: Any, **kwargs: Any) -> Any:
        """Consume; `close` deletes a queue that expires, as this channel is its only reader."""
        if queue in self._expires:
            self._own.add(queue)
        return super().basic_consume(queue, no_ack, *args, **kwargs)

    def close(self) -> None:
        """Close, and delete the reply queues of this channel, whose bindings would pile up."""
        if not self.closed:
            with suppress(*self.connection_errors, ChannelError):
                for queue in self._own:
                    self.queue_delete(queue, if_empty=not queue.endswith(f"@{owner()}"))
        super().close()
