"""The embedded broker: kombu's Redis transport, mended so that everything nameko does works on it.

Stands under step 2 of a job's life where `AMQP_URI` is `redis://…`; `connection.py` installs it. Keys and messages are
kombu's own, so a client that never heard of this module (`nameko shell --broker redis://…`) shares the queues.
Back to `publisher.py`.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty
from typing import Any

from kombu import transport
from kombu.exceptions import ChannelError
from kombu.transport import redis, virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads

from errand.broker.orphans import is_orphan
from errand.broker.unacknowledged import Unacknowledged
from errand.topology import DELIVERIES, owner

log = logging.getLogger(__name__)

DECLARED = "_kombu.queues"
"""Set of the queues that were declared, beside kombu's own `_kombu.binding.*`: an empty queue has no key of its own."""
REPLY_MS = 300_000
"""How long a reply nobody fetched is kept, as long as nameko's reply queues on RabbitMQ."""


FETCH, FETCH_BYTES = 100, 1_048_576
"""Messages fetched at once at most: the prefetch count permitting, a full queue is read in few round trips. No more are
fetched after so many bytes: one message may be of any length, a hundred such must not be held at once."""
LONGEST_BYTES = 8_388_608
"""What is longer than this loses its body: carrying it on takes several times its length, for each reader."""
_BODY = re.compile(rb'"body": ?"(?:[^"\\]++|\\.)*+"')
_FETCH = """
local items, bytes = {}, tonumber(ARGV[2])
while #items < tonumber(ARGV[1]) and bytes > 0 do
    local item = redis.call('RPOP', KEYS[1])
    if not item then break end
    items[#items + 1], bytes = item, bytes - #item
end
return items
"""


def install() -> None:
    """Make `redis://` and `rediss://` mean this transport in this process, for nameko's connections too."""
    for scheme in ("redis", "rediss"):
        transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:EmbeddedTransport"
        transport._transport_cache.pop(scheme, None)


class EmbeddedMessage(virtual.Message):  # type: ignore[misc]  # kombu has no annotations
    """A message that carries its content type where nameko looks for it."""

    def __init__(self, payload: dict[str, Any], channel: Any = None, **kwargs: Any) -> None:
        """Read `payload`, as it came from the queue."""
        if payload["headers"].get("compression"):
            # nobody here compresses, and a small body may be gigabytes once it is unpacked
            payload = payload | {"body": "", "headers": {}}
        super().__init__(payload, channel, **kwargs)
        types = {"content_type": self.content_type, "content_encoding": self.content_encoding}
        self.properties: dict[str, Any] = payload["properties"] | types


class EmbeddedChannel(redis.Channel):  # type: ignore[misc]  # kombu has no annotations
    """A channel that routes by what Redis knows, not by what this connection happened to declare."""

    Message = EmbeddedMessage
    QoS = Unacknowledged

    # A doorbell or a call is acknowledged as soon as it is heard, so what is unacknowledged for a minute belongs to a
    # reader that died; until then the rescuer, which knows the jobs, has long rung again where it matters.
    visibility_timeout = 60
    unacked_mutex_expire = 30
    # A greenthread holds a connection for one command; running out would look like a lost broker.
    max_connections = 1000
    # Without these a server that vanished (no reset, no answer) would be waited for as long as TCP likes.
    socket_connect_timeout = 3.0
    socket_timeout = 10.0
    socket_keepalive = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Open the channel; raises kombu's connection errors."""
        self._own: set[str] = set()
        self._no_ack: set[str] = set()
        self._commands: Any = None
        super().__init__(*args, **kwargs)

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """Lend the client for commands. It takes a connection from the pool for each, so it may be shared."""
        if client is None:
            client = self._commands = self._commands or self._create_client()
        yield client

    def _disconnect_pools(self) -> None:
        self._commands = None
        super()._disconnect_pools()

    # ---- routing ----

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> list[str]:
        """Find the queues by the bindings in Redis: a binding of a topic exchange has its pattern with it."""
        if not exchange:
            return [routing_key]
        matches = self.exchange_types["topic"]._match
        return list(
            {
                queue
                for key, pattern, queue in self.get_table(exchange)
                if (matches(pattern, routing_key) if pattern else key == routing_key)
                and not self._drop_if_orphan(exchange, key, pattern, queue)
            }
        )

    def basic_publish(
        self, message: dict[str, Any], exchange: str, routing_key: str, mandatory: bool = False, **kwargs: Any
    ) -> Any:
        """Publish; raise ChannelError when it is mandatory and no queue would take it, as RabbitMQ's confirms tell."""
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
        """Let a message come again, and count it, as RabbitMQ does."""
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
        """Bind, and write it to Redis even when this connection did so before: the server may have lost it since."""
        routing_key = args[0] if args else kwargs.get("routing_key", "")
        if exchange:
            for row in self.get_table(exchange):
                self._drop_if_orphan(exchange, *row)
        self.state.binding_delete(queue, exchange or "amq.direct", routing_key)
        super().queue_bind(queue, exchange, *args, **kwargs)

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **kwargs: Any) -> None:
        """Delete the queue, bound or not."""
        if if_empty and self._size(queue):
            return
        super().queue_delete(queue, **kwargs)
        with self.conn_or_acquire() as client:
            client.srem(DECLARED, queue)
        self._purge(queue)

    def _drop_if_orphan(self, exchange: str, key: str, pattern: str, queue: str) -> bool:
        """Delete a queue whose only reader died without a word; nobody else ever would."""
        if orphan := is_orphan(queue):
            self._delete(queue, exchange, key, pattern)
        return orphan

    # ---- consuming ----

    def basic_consume(self, queue: str, no_ack: bool = False, *args: Any, **kwargs: Any) -> Any:
        """Consume; a queue that expires is remembered as this channel's own."""
        if queue in self._expires:
            self._own.add(queue)
        (self._no_ack.add if no_ack else self._no_ack.discard)(queue)
        return super().basic_consume(queue, no_ack, *args, **kwargs)

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledge one message, or with `multiple` all that were delivered until it."""
        (self.qos.ack_until if multiple else self.qos.ack)(delivery_tag)

    def _brpop_read(self, **options: Any) -> bool:
        """Hand over what was popped, unless it is no message."""
        try:
            popped = self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors:
            self.client.connection.disconnect()  # the next round connects anew
            raise
        finally:
            self._in_poll = None
        if not popped:
            raise Empty
        queue = bytes_to_str(popped[0]).rsplit(self.sep, 1)[0]
        self._queue_cycle.rotate(queue)
        payloads = [each for item in self._with_more(*popped) if (each := self._read(item)) is not None]
        self._deliver_all(payloads, queue)
        return True

    def _with_more(self, key: bytes, item: bytes) -> list[bytes]:
        """Give `item` and those after it, as many as may be delivered."""
        room = self.qos.can_consume_max_estimate()
        if (count := min(FETCH, room if room is not None else FETCH) - 1) < 1:
            return [item]
        with self.conn_or_acquire() as client:
            return [item, *client.eval(_FETCH, 1, bytes_to_str(key), count, FETCH_BYTES - len(item))]

    def _deliver_all(self, payloads: list[dict[str, Any]], queue: str) -> None:
        if len(payloads) > 1 and queue not in self._no_ack:
            self.qos.record(payloads)
        try:
            for payload in payloads:
                self.connection._deliver(payload, queue)
        finally:
            self.qos.give_back(payloads)

    def _read(self, item: bytes) -> dict[str, Any] | None:
        """Unpack a message; None for what no kombu has written, which would otherwise end its reader."""
        try:
            if len(item) > LONGEST_BYTES:
                item = _BODY.sub(b'"body": ""', item, count=1)
            payload: dict[str, Any] = loads(bytes_to_str(item))
            message = self.Message(payload, channel=self)
            _ = message.delivery_info["exchange"], message.delivery_info["routing_key"]
        except Exception as fault:  # noqa: BLE001 -- whatever a stranger's bytes can raise
            log.warning("Dropped what is no message: %s", type(fault).__name__, extra={"action": "garbage_dropped"})
            return None
        return payload

    def close(self) -> None:
        """Close; the reply queues go with their only reader, or their bindings would pile up."""
        if not self.closed:
            with suppress(*self.connection_errors, ChannelError):
                for queue in self._own:
                    self.queue_delete(queue, if_empty=not queue.endswith(f"@{owner()}"))
        super().close()


class EmbeddedTransport(redis.Transport):  # type: ignore[misc]  # kombu has no annotations
    """kombu's Redis transport with the mended channel."""

    Channel = EmbeddedChannel

    # What a channel refuses (NO_ROUTE) is not mended by a new connection, so kombu must not try.
    recoverable_connection_errors = redis.Transport.connection_errors
    recoverable_channel_errors: tuple[type[Exception], ...] = ()
