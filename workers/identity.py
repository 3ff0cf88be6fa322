"""What this process is called: the name under which it claims jobs, and by which the store wakes it.

Stands under `dependencies.py` and the lookout.
"""

import os
import socket


def worker_name() -> str:
    """Give the name of this process, of its machine and its number there: one of a kind while it lives."""
    return f"{socket.gethostname()}:{os.getpid()}"
