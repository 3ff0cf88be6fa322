"""Runs the API under granian: a parent that holds the socket, and processes that answer. Next: `wsgi.py`."""

import logging
import resource
import socket
import sys
from typing import Final

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from errand.process import garbage_collection
from errand.process.ports import http_url
from errand.process.start_method import fork_processes
from errand.settings import Settings

log = logging.getLogger(__name__)

BACKLOG: Final = 2048
"""Connections that may wait to be accepted."""
LAST_SECONDS: Final = 15
"""How long a process may take to stop before it is killed."""
FILES: Final = 256
"""Open files of a process besides its connections."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests that have begun are finished first."""
    refuse_port_in_use(settings.host, settings.port)
    fork_processes()
    server = Granian(
        "api.serving.wsgi:make",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.api_processes,
        blocking_threads=settings.api_threads,  # streams get threads from api/dispatch/dispatcher.py
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=BACKLOG + settings.api_streams,  # connections of each process, including idle ones
        log_level=LogLevels[settings.log_level.lower().replace("info", "warning")],  # one line of ours is enough
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=LAST_SECONDS,
    )
    allow_files(BACKLOG + 2 * settings.api_streams + FILES)
    if settings.api_processes > 1:
        _share_memory(settings)
    where, number = http_url(settings.host, settings.port), settings.api_processes
    log.info("Answering on %s, processes: %d", where, number, extra={"action": "answering"})
    server.serve()


def _share_memory(settings: Settings) -> None:
    """Load what all processes need before they are forked, so that they share the memory.

    With a single process this would waste memory: the parent itself needs none of it.
    """
    from api.serving.wsgi import prepare  # the module whose `make` the processes call

    prepare(settings)
    garbage_collection.freeze()  # a garbage collection in a forked process would touch, and so copy, the shared pages


def allow_files(number: int) -> None:
    """Raise the limit of open files for this process and its children; many systems begin with 1024.

    A stream needs its connection and, while it begins, one to the store.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if resource.RLIM_INFINITY != soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    if limit < number:
        fields = {"action": "files_limited"}
        log.warning(
            "Only %d files may be open at a time; API_STREAMS needs %d. Raise the limit (ulimit -n)",
            limit,
            number,
            extra=fields,
        )


def refuse_port_in_use(host: str, port: int) -> None:
    """Exit with a sentence when the address is in use.

    Granian binds with SO_REUSEPORT, so two APIs on one port would start without an error and share the requests.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as fault:  # also if the host has no address
        sys.stderr.write(f"errand: HOST and PORT: can't listen on {host}:{port}: {fault.strerror}\n")
        raise SystemExit(2) from None
