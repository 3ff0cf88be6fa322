"""Ports for servers of tests; the product's own way of finding them serves here too."""

from errand.embedded.wait import LOCALHOST, any_free_port, port_is_free, until

__all__ = ["LOCALHOST", "free_port", "port_is_free", "until"]


def free_port() -> int:
    """Give a port on which nobody listens."""
    return any_free_port()
