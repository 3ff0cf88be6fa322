"""Runs the API under granian: a parent that holds the socket, and processes that answer.

Stands before step 1 of a job's life. Next: `wsgi.py`, which each of the processes calls.
"""

import gc
from typing import Final

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

import api.wsgi  # imported before the fork, so that all processes share these pages of memory
from errand.settings import Settings

BACKLOG: Final = 2048
"""Connections that may wait to be answered."""
LAST_SECONDS: Final = 15
"""How long a process may take to end in good order before it is killed."""


def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT; what was begun is finished first."""
    server = Granian(
        f"{api.wsgi.__name__}:{api.wsgi.make.__name__}",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.api_processes,
        blocking_threads=settings.api_threads,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        log_level=LogLevels[settings.log_level.lower()],
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=LAST_SECONDS,
    )
    gc.collect()
    gc.freeze()  # the collector of a forked process must not touch, and thereby copy, what is shared
    server.serve()
