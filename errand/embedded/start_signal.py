"""Receives the signal of the workers that they have started, as systemd does: a datagram to NOTIFY_SOCKET."""

import shutil
import socket
import tempfile
from contextlib import suppress


class StartSignal:
    """A Unix socket that waits for one datagram; `errand/health.py` sends it."""

    def __init__(self) -> None:
        """Listen in a temporary folder: the path of a socket must be short, however long the path of the data is."""
        self._folder = tempfile.mkdtemp(prefix="errand-")
        self.address = f"{self._folder}/notice"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(0)
        self._received = False

    def received(self) -> bool:
        """Return whether the workers have started; does not wait."""
        with suppress(OSError):
            self._received = self._received or bool(self._socket.recv(64))
        return self._received

    def close(self) -> None:
        """Stop listening and remove the folder."""
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)
