"""Makes this process cooperative: what blocks elsewhere lets other greenthreads run here, name look-ups included.

Stands before everything else in a worker. eventlet's resolver takes 7 MB and most workers never look up a name, for
they have addresses, or names of this machine: it is loaded by the first that does.
"""

import os
from importlib import import_module
from ipaddress import ip_address
from typing import Any

os.environ["EVENTLET_NO_GREENDNS"] = "yes"  # eventlet would load it at once

import eventlet
from eventlet.green import socket as green
from eventlet.patcher import original

NAMES_HERE = frozenset({"localhost", "ip6-localhost"})
_native: Any = original("socket")


def monkey_patch() -> None:
    """Patch the standard library; to be called before anything else is imported."""
    eventlet.monkey_patch()
    import socket

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo"):
        lookup = _lookup(name)
        setattr(socket, name, lookup)
        setattr(green, name, lookup)
    _look_at_once()


def _look_at_once() -> None:
    """Let redis-py see without the hub whether a connection is still good, as it does before each call.

    eventlet takes `poll` away, so that redis-py makes a selector each time and goes round the hub, for a look that
    never waits: 20 of 70 µs of each call. That takes replacing a private name of redis-py.
    """
    from redis._parsers import hiredis

    select, patiently = original("select"), hiredis._socket_can_read

    def can_read(sock: Any, timeout: float) -> bool:
        if timeout != 0 or hasattr(sock, "pending"):  # TLS has bytes of its own
            return bool(patiently(sock, timeout))
        poller = select.poll()
        poller.register(sock.fileno(), select.POLLIN)
        return bool(poller.poll(0))

    hiredis._socket_can_read = can_read


def _lookup(name: str) -> Any:
    """Give the function of this name that asks a name server cooperatively, or nobody where that isn't needed."""
    native = getattr(_native, name)

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if _needs_nobody(host):
            return native(host, *args, **kwargs)
        return getattr(import_module("eventlet.support.greendns"), name)(host, *args, **kwargs)

    look_up.__name__ = name
    return look_up


def _needs_nobody(host: Any) -> bool:
    """Tell whether the host is known without asking a name server."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in NAMES_HERE:
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
