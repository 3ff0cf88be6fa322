"""Keeps delivered but unacknowledged messages in Redis, so that they are delivered again if their reader dies.

It does what kombu does, in kombu's own keys, but for many messages in one round trip.
"""

from time import monotonic, time
from typing import Any

from kombu.transport import redis, virtual
from kombu.utils.json import dumps

HOLD_SECONDS = 15.0
"""How often the redelivery of messages in progress is put off: several times within the minute that it takes."""


class Unacknowledged(redis.QoS):  # type: ignore[misc]  # kombu has no annotations
    """The messages one channel has delivered; kombu calls it QoS, as it also enforces the prefetch count."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin without messages."""
        super().__init__(*args, **kwargs)
        self._recorded: set[str] = set()
        self._held = monotonic()

    def record(self, payloads: list[dict[str, Any]]) -> None:
        """Store `payloads` before they are delivered: if this process ends, they are delivered again."""
        where = {each["properties"]["delivery_tag"]: each["properties"]["delivery_info"] for each in payloads}
        raw = {
            tag: dumps([each, where[tag]["exchange"], where[tag]["routing_key"]])
            for tag, each in zip(where, payloads, strict=True)
        }
        with self.pipe_or_acquire() as pipe:
            pipe.zadd(self.unacked_index_key, dict.fromkeys(raw, time())).hset(self.unacked_key, mapping=raw).execute()
        self._recorded.update(raw)

    def append(self, message: Any, delivery_tag: str) -> None:
        """Count `message` as delivered."""
        if delivery_tag in self._recorded:
            self._recorded.remove(delivery_tag)
            virtual.QoS.append(self, message, delivery_tag)
        else:
            super().append(message, delivery_tag)

    def give_back(self, payloads: list[dict[str, Any]]) -> None:
        """Put recorded messages that were not delivered back into their queues."""
        for payload in reversed(payloads):
            tag = payload["properties"]["delivery_tag"]
            if tag in self._recorded:
                self._recorded.remove(tag)
                self.restore_by_tag(tag, leftmost=False)

    def hold(self) -> None:
        """Put off the redelivery of messages in progress. Call it often; it writes to Redis once in HOLD_SECONDS."""
        if self._delivered and monotonic() - self._held > HOLD_SECONDS:
            self._held = monotonic()
            with self.pipe_or_acquire() as pipe:
                pipe.zadd(self.unacked_index_key, dict.fromkeys(self._delivered, time()), xx=True).execute()

    def ack_until(self, delivery_tag: str) -> None:
        """Acknowledge every message delivered up to this one, itself included."""
        self._flush()
        tags: list[str] = []
        for tag in list(self._delivered):
            tags.append(tag)
            if tag == delivery_tag:
                break
        else:
            tags = [delivery_tag]
        with self.pipe_or_acquire() as pipe:
            pipe.zrem(self.unacked_index_key, *tags).hdel(self.unacked_key, *tags).execute()
        self._dirty.update(tags)
