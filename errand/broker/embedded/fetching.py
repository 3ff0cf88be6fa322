"""Reads the embedded broker's queues: several messages in one round trip, and none that could harm the reader."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any

from kombu.transport import redis, virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads

from errand.broker.embedded.unacknowledged import Unacknowledged

log = logging.getLogger(__name__)

MAX_FETCHED, MAX_FETCHED_BYTES = 100, 1_048_576
"""Maximum messages fetched at once, as far as the prefetch count permits. Fetching stops after this many bytes, because
a message may be of any length and a hundred long ones must not be held at once."""
MAX_MESSAGE_BYTES = 8_388_608
"""A longer message loses its body: each reader would need several times its length to pass it on."""
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


class EmbeddedMessage(virtual.Message):  # type: ignore[misc]  # kombu has no annotations
    """A message that carries its content type where nameko looks for it."""

    def __init__(self, payload: dict[str, Any], channel: Any = None, **kwargs: Any) -> None:
        """Read `payload`, as it came from the queue."""
        if payload["headers"].get("compression"):
            # no client of ours compresses, and a small body may unpack to gigabytes
            payload = payload | {"body": "", "headers": {}}
        super().__init__(payload, channel, **kwargs)
        types = {"content_type": self.content_type, "content_encoding": self.content_encoding}
        self.properties: dict[str, Any] = payload["properties"] | types


class FetchingChannel(redis.Channel):  # type: ignore[misc]  # kombu has no annotations
    """A channel that delivers up to MAX_FETCHED messages for each time it waits."""

    Message = EmbeddedMessage
    QoS = Unacknowledged

    # A doorbell or a call is acknowledged as soon as it is read, so a message that is unacknowledged for a minute
    # belongs to a reader that died. Where a job depends on it, the rescuer has rung long before.
    visibility_timeout = 60
    unacked_mutex_expire = 30
    # A greenthread holds a connection for one command; running out would look like a lost broker.
    max_connections = 1000
    # Without these the channel waits as long as TCP does for a server that vanished (no reset, no answer).
    socket_connect_timeout = 3.0
    socket_timeout = 10.0
    socket_keepalive = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Open the channel; raises kombu's connection errors."""
        self._commands: Any = None
        self._no_ack: set[str] = set()
        super().__init__(*args, **kwargs)

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """Lend a client for commands. It takes a connection from the pool for each command, so it may be shared."""
        if client is None:
            if self._commands is None or self._commands.connection_pool is not self.pool:
                self._commands = self.Client(connection_pool=self.pool)
            client = self._commands
        yield client

    def basic_consume(self, queue: str, no_ack: bool = False, *args: Any, **kwargs: Any) -> Any:
        """Consume, and note whether messages are delivered without being acknowledged."""
        (self._no_ack.add if no_ack else self._no_ack.discard)(queue)
        return super().basic_consume(queue, no_ack, *args, **kwargs)

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledge one message, or with `multiple` all messages delivered up to it."""
        (self.qos.ack_until if multiple else self.qos.ack)(delivery_tag)

    def _brpop_read(self, **options: Any) -> bool:
        """Deliver the popped message and those after it, leaving out bytes that are not a message."""
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
        """Return `item` and as many of the items after it as may be delivered."""
        room = self.qos.can_consume_max_estimate()
        if (count := min(MAX_FETCHED, room if room is not None else MAX_FETCHED) - 1) < 1:
            return [item]
        with self.conn_or_acquire() as client:
            return [item, *client.eval(_FETCH, 1, bytes_to_str(key), count, MAX_FETCHED_BYTES - len(item))]

    def _deliver_all(self, payloads: list[dict[str, Any]], queue: str) -> None:
        if len(payloads) > 1 and queue not in self._no_ack:
            self.qos.record(payloads)
        try:
            for payload in payloads:
                self.connection._deliver(payload, queue)
        finally:
            self.qos.give_back(payloads)

    def _read(self, item: bytes) -> dict[str, Any] | None:
        """Unpack a message; None for bytes that kombu can't have written, which would otherwise end the reader."""
        try:
            if len(item) > MAX_MESSAGE_BYTES:
                item = _BODY.sub(b'"body": ""', item, count=1)
            payload: dict[str, Any] = loads(bytes_to_str(item))
            message = self.Message(payload, channel=self)
            _ = message.delivery_info["exchange"], message.delivery_info["routing_key"]
        except Exception as fault:  # noqa: BLE001 -- arbitrary bytes can raise anything
            log.warning(
                "Dropped bytes that are not a message: %s", type(fault).__name__, extra={"action": "garbage_dropped"}
            )
            return None
        return payload
