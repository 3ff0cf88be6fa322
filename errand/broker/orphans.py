"""Queues that belong to one process, by their name, and whether that process is gone.

Stands under `embedded.py`, beside the life of a job: RabbitMQ deletes such queues by itself when a connection ends.
"""

import os
import socket


def is_orphan(queue: str) -> bool:
    """Tell whether `queue` belongs to a process of this machine that has died; of other machines nothing is known."""
    host, _, pid = queue.rpartition("@")[2].rpartition(".")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it lives, and is another user's
    return False
