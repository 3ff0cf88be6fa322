"""Finds queues whose process is gone, by their names. RabbitMQ deletes such queues itself when a connection ends."""

import os
import socket


def owner_is_dead(queue: str) -> bool:
    """Return whether `queue` belongs to a process of this machine that has died; False for those of other machines."""
    host, _, pid = queue.rpartition("@")[2].rpartition(".")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it lives, and belongs to another user
    return False
