"""Consumes one queue and blanks the body of every message that is too long, compressed or in an unusual encoding.

Bodies are read as bytes. A refused body is discarded before the next message is read, so prefetched messages never
hold much memory.
"""

import logging
from collections.abc import Callable
from typing import Any

from kombu import Connection, Consumer, Queue

from errand.broker.embedded.unacknowledged import Unacknowledged

log = logging.getLogger(__name__)

ENCODINGS = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii", "binary"})
"""Accepted content encodings. Some of Python's other codecs take seconds to decode a megabyte."""


class FilteringConsumer(Consumer):  # type: ignore[misc]  # kombu has no annotations
    """Consumes `queue`, which must be declared already, and calls `hear` with every message; refused ones are empty."""

    def __init__(self, connection: Connection, queue: Queue, hear: Callable[[Any], Any], most: int, ahead: int) -> None:
        """Accept bodies of up to `most` bytes; prefetch `ahead` unacknowledged messages."""
        channel = connection.channel()
        channel.auto_decode = False  # py-amqp would decode with whatever encoding the message names
        super().__init__(
            channel,
            [queue],
            on_message=hear,
            on_decode_error=lambda message, _: hear(message),
            auto_declare=False,
            accept=["json"],
            prefetch_count=ahead,
        )
        self._most = most

    def hold(self) -> None:
        """Keep the embedded broker from redelivering messages that are still being worked on."""
        quality = getattr(self.channel, "qos", None)
        if isinstance(quality, Unacknowledged):
            quality.hold()

    def _receive_callback(self, message: Any) -> None:
        headers = message.headers if isinstance(message.headers, dict) else {}
        encoding = message.properties.get("content_encoding") or ""
        # a small compressed body can unpack to gigabytes, and no sender of ours compresses
        compressed = headers.pop("compression", None) is not None
        if compressed or len(message.body or b"") > self._most or str(encoding).lower() not in ENCODINGS:
            message.body = b""
        super()._receive_callback(message)


def settle(act: Callable[[], Any]) -> None:
    """Acknowledge, requeue or reject a message by calling `act`; a lost connection is logged and never raised."""
    try:
        act()
    except Exception as fault:  # noqa: BLE001 -- the connection is lost, in whatever way; its own loop reopens it
        log.warning("A message may be redelivered: %r", fault, extra={"action": "not_settled"})
