"""Makes this process cooperative: blocking calls, DNS lookups included, let other greenthreads run.

It comes before all other imports of a worker. eventlet's DNS resolver takes 7 MB, and most workers never need it, as
their settings hold IP addresses or names of this machine: it is loaded at the first lookup.
"""

import os
from importlib import import_module
from ipaddress import ip_address
from typing import Any

os.environ["EVENTLET_NO_GREENDNS"] = "yes"  # or else eventlet loads it at once

import eventlet
from eventlet.green import socket as green
from eventlet.patcher import original

NAMES_HERE = frozenset({"localhost", "ip6-localhost"})
_native: Any = original("socket")


def monkey_patch() -> None:
    """Patch the standard library; call this before any other import."""
    eventlet.monkey_patch()
    import socket

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo"):
        lookup = _lookup(name)
        setattr(socket, name, lookup)
        setattr(green, name, lookup)
    _poll_without_hub()


def _poll_without_hub() -> None:
    """Let redis-py check a connection without the hub, as it does before each call.

    eventlet removes `poll`. Then redis-py makes a selector for each check and goes through the hub, although the check
    never waits: 20 of the 70 µs of a call. To avoid this, a private function of redis-py is replaced.
    """
    from redis._parsers import hiredis

    select, waiting = original("select"), hiredis._socket_can_read

    def can_read(sock: Any, timeout: float) -> bool:
        if timeout != 0 or hasattr(sock, "pending"):  # TLS may hold decrypted bytes
            return bool(waiting(sock, timeout))
        poller = select.poll()
        poller.register(sock.fileno(), select.POLLIN)
        return bool(poller.poll(0))

    hiredis._socket_can_read = can_read


def _lookup(name: str) -> Any:
    """Return the lookup function of this name, which asks a name server cooperatively, and only if it must."""
    native = getattr(_native, name)

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_known(host):
            return native(host, *args, **kwargs)
        return getattr(import_module("eventlet.support.greendns"), name)(host, *args, **kwargs)

    look_up.__name__ = name
    return look_up


def _is_known(host: Any) -> bool:
    """Return whether the host's address is known without a name server."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in NAMES_HERE:
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
