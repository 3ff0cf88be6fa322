"""A process in a terminal of its own: Ctrl-C reaches its foreground group, and the terminal can be closed."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

CTRL_C = b"\x03"


class Terminal:
    """Runs a command in a pseudo-terminal, as its session leader, and keeps what it prints."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        """Start the command. It gets exactly the variables in `env`."""
        self._master, slave = pty.openpty()
        self._printed, self._closing = bytearray(), threading.Event()
        self.process = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- only a system call
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def output(self) -> str:
        """Return all that was printed."""
        return bytes(self._printed).decode(errors="replace").replace("\r\n", "\n")

    def press_ctrl_c(self) -> None:
        """Press Ctrl-C: the kernel sends SIGINT to every process of the foreground group."""
        os.write(self._master, CTRL_C)

    def close(self) -> None:
        """Close the terminal: the kernel sends SIGHUP to the processes in it."""
        if not self._closing.is_set():
            self._closing.set()
            self._reader.join()
            os.close(self._master)

    def end(self) -> None:
        """Kill the command, and close the terminal."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.close()

    def _read(self) -> None:
        while not self._closing.is_set():
            if select.select([self._master], [], [], 0.05)[0]:
                try:
                    self._printed += os.read(self._master, 65536)
                except OSError:  # the last process in the terminal has ended
                    return
