"""Installs the embedded broker: in this process `redis://` stands for kombu's Redis transport with our channel."""

from kombu import transport
from kombu.transport import redis

from errand.broker.embedded.channel import EmbeddedChannel


def install() -> None:
    """Register the transport, for nameko's connections too; call it before the first `redis://` connection is made."""
    for scheme in ("redis", "rediss"):
        transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:EmbeddedTransport"


class EmbeddedTransport(redis.Transport):  # type: ignore[misc]  # kombu has no annotations
    """kombu's Redis transport with our channel."""

    Channel = EmbeddedChannel

    # A new connection doesn't help against what a channel refuses (NO_ROUTE), so kombu must not try one.
    recoverable_connection_errors = redis.Transport.connection_errors
    recoverable_channel_errors: tuple[type[Exception], ...] = ()
