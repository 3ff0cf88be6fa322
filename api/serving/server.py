"""Runs the API under granian: a parent that holds the socket, and processes that answer.

Stands before step 1 of a job's life. Next: `wsgi.py`, which each of the processes calls.
"""

import logging
import resource
import socket
import sys
from typing import Final

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from errand.process import heap
from errand.settings import Settings

log = logging.getLogger(__name__)

BACKLOG: Final = 2048
"""Connections that may wait to be answered."""
LAST_SECONDS: Final = 15
"""How long a process may take to end in good order before it is killed."""
FILES: Final = 256
"""Files that a process has open besides its connections."""


def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT; what was begun is finished first."""
    refuse_taken(settings.host, settings.port)
    server = Granian(
        "api.serving.wsgi:make",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.api_processes,
        blocking_threads=settings.api_threads,  # streams have threads of their own: api/dispatch/dispatcher.py
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=BACKLOG + settings.api_streams,  # connections of each process, those that idle included
        log_level=LogLevels[settings.log_level.lower()],
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=LAST_SECONDS,
    )
    allow_files(BACKLOG + 2 * settings.api_streams + FILES)
    if settings.api_processes > 1:
        _share_memory(settings)
    server.serve()


def _share_memory(settings: Settings) -> None:
    """Make what all processes need before they are forked: it is then in memory once, not once for each.

    With one process it would be there twice, for this parent needs nothing of it.
    """
    from api.serving.wsgi import prepare  # what the processes call

    prepare(settings)
    heap.settle()  # the collector of a forked process must not touch, and thereby copy, what is shared


def allow_files(number: int) -> None:
    """Raise the limit of open files, which each process inherits; many systems begin with 1024.

    A stream has its connection, and while it begins it may need one to the store besides.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if resource.RLIM_INFINITY != soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < number:
        told = {"action": "files_limited"}
        log.warning("Only %d files may be open at a time: with %d, API_STREAMS is certain", wanted, number, extra=told)


def refuse_taken(host: str, port: int) -> None:
    """Exit with a sentence when somebody listens there already.

    granian would start all the same when that is granian too, and each of the two would get some of the requests.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as fault:
            sys.stderr.write(f"errand: HOST and PORT: can't listen on {host}:{port}: {fault.strerror}\n")
            raise SystemExit(2) from None
