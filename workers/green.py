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
