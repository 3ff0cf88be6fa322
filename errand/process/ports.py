"""Finds TCP ports for servers that are about to start."""

import socket

LOCALHOST = "127.0.0.1"

_claims: list[socket.socket] = []


def http_url(host: str, port: int) -> str:
    """Return the URL of a server; an IPv6 address is put in brackets (RFC 3986, 3.2.2)."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def port_is_free(port: int, host: str = LOCALHOST) -> bool:
    """Return whether a server could listen on `port` of `host` now."""
    return why_not_free(port, host) is None


def why_not_free(port: int, host: str = LOCALHOST) -> OSError | None:
    """Return the error with which a server that listened on `port` of `host` now would fail; None if it would not.

    Raises `socket.gaierror` when there is no such host.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # Servers set this option too: it allows a port whose last connections are still in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return error
        return None


def free_port(preferred: int, host: str = LOCALHOST) -> int:
    """Return `preferred`, or else the next free port above it, or else any free port.

    The port is claimed while this process lives, so two Errands that start at once choose different ports.
    """
    for port in range(preferred, min(preferred + 50, 65536)):
        if port_is_free(port, host) and _claim(port):
            return port
    return any_free_port(host)


def _claim(port: int) -> bool:
    """Bind the UDP port of the same number, which no server uses, until this process ends; False if it is bound."""
    claim = socket.socket(type=socket.SOCK_DGRAM)
    try:
        claim.bind((LOCALHOST, port))
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


def any_free_port(host: str = LOCALHOST) -> int:
    """Return a free port chosen by the operating system."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
