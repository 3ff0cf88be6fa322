"""Says why the API could not listen on the HOST and PORT of the settings, before `make run` starts anything."""

import errno

from errand.process.ports import free_port, why_not_free

FIRST_UNPRIVILEGED = 1024
"""Ports below are for root, on most systems."""


def why_not_listening(host: str, port: int) -> str | None:
    """Return a sentence that says what to change; None if the API could listen there now."""
    try:
        error = why_not_free(port, host)
    except OSError as unknown:
        return f"HOST: {host} can't be found: {unknown.strerror}"
    if error is None:
        return None
    if error.errno == errno.EADDRINUSE:
        other = free_port(port + 1, host)
        return f"port {port} is in use; stop what listens there, or choose another port: PORT={other} make run"
    if error.errno == errno.EACCES:
        other = free_port(max(port, FIRST_UNPRIVILEGED), host)
        return f"port {port} is not for this user; choose another port: PORT={other} make run"
    return f"HOST: can't listen on {host}: {error.strerror}"
