"""Receives what the workers say of themselves, as systemd does: datagrams to NOTIFY_SOCKET."""

import shutil
import socket
import tempfile
from contextlib import suppress

from errand.health import STARTED, STATUS


class WorkerNotices:
    """A Unix socket to which `notify` in `errand/health.py` sends."""

    def __init__(self) -> None:
        """Listen in a temporary folder: the path of a socket must be short, however long the path of the data is."""
        self._folder = tempfile.mkdtemp(prefix="errand-")
        self.address = f"{self._folder}/notice"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(0)
        self._started = False
        self._status = ""

    def started(self) -> bool:
        """Return whether the workers have started; does not wait."""
        self._receive()
        return self._started

    def new_status(self) -> str:
        """Return the sentence that the workers last sent, or an empty text if it is not new; does not wait."""
        self._receive()
        status, self._status = self._status, ""
        return status

    def close(self) -> None:
        """Stop listening and remove the folder."""
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _receive(self) -> None:
        with suppress(OSError):  # nothing more has arrived
            while notice := self._socket.recv(1024).decode():
                facts = notice.split("\n")
                self._started = self._started or STARTED in facts
                self._status = next((each[len(STATUS) :] for each in facts if each.startswith(STATUS)), self._status)
