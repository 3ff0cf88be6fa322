"""Reads one queue and lets no message in that could hurt: none that is too long, compressed, or strangely encoded.

Stands under both entrypoints, `doorbell.py` and `call_consumer.py`. Whatever comes in is taken as bytes, and what
isn't let in has lost its body before the next message is read: hundreds that are fetched ahead are never held at
once.
"""

import logging
from collections.abc import Callable
from typing import Any

from kombu import Connection, Consumer, Queue

from errand.broker.unacknowledged import Unacknowledged

log = logging.getLogger(__name__)

ENCODINGS = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii", "binary"})
"""What a body may be encoded with. Python knows others that take it seconds for a megabyte."""


class SafeConsumer(Consumer):  # type: ignore[misc]  # kombu has no annotations
    """Consumes `queue`, which is declared already; gives every message to `hear`, those not let in without a body."""

    def __init__(self, connection: Connection, queue: Queue, hear: Callable[[Any], Any], most: int, ahead: int) -> None:
        """Let bodies of up to `most` bytes in; fetch `ahead` messages before they are acknowledged."""
        channel = connection.channel()
        channel.auto_decode = False  # py-amqp's, by whatever encoding the message names
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
        """Say that what was delivered is still worked on; only the embedded broker would think otherwise."""
        quality = getattr(self.channel, "qos", None)
        if isinstance(quality, Unacknowledged):
            quality.hold()

    def _receive_callback(self, message: Any) -> None:
        headers = message.headers if isinstance(message.headers, dict) else {}
        encoding = message.properties.get("content_encoding") or ""
        # a small body can be gigabytes once it is unpacked, and nobody here packs
        packed = headers.pop("compression", None) is not None
        if packed or len(message.body or b"") > self._most or str(encoding).lower() not in ENCODINGS:
            message.body = b""
        super()._receive_callback(message)


def settle(tell: Callable[[], Any]) -> None:
    """Tell the broker by `tell` what became of a message; nothing is raised, as the work at hand must not end of it."""
    try:
        tell()
    except Exception as fault:  # noqa: BLE001 -- the connection is gone, in whatever way; its loop finds out by itself
        log.warning("A message may come again: %r", fault, extra={"action": "not_settled"})
