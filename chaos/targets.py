"""A supervised process that faults may hit. A thread restarts it whenever it is gone.

Next: `deployment.py`, which lists all targets.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from tests.support.processes import descendants

LOOKS_EVERY = 0.1
"""Seconds between two checks of a process: about as long as a restart by systemd takes."""
PAUSE = 0.5
"""Seconds before a failed start is repeated."""


class Lifecycle(Protocol):
    """Starts and stops a process."""

    def start(self) -> object:
        """Start the process."""

    def stop(self) -> object:
        """Stop the process cleanly."""


class ChaosTarget:
    """One supervised process and its descendants."""

    def __init__(
        self,
        name: str,
        kind: str,
        life: Lifecycle,
        process: "Callable[[], subprocess.Popen[bytes] | None]",
        whole: bool = False,
    ) -> None:
        """Supervise the process of `life`. `whole`: faults hit its whole process group, as if its machine failed."""
        self.name, self.kind, self.whole = name, kind, whole
        self._life, self._process = life, process
        self._started = threading.Event()
        self._closing = threading.Event()
        self._hit: set[int] = set()
        self._thread = threading.Thread(target=self._keep, name=name)
        self.paused = False
        self.crashes: list[str] = []
        """Unplanned ends and failed starts."""

    @property
    def pid(self) -> int | None:
        """The process id, or None if the process is gone."""
        process = self._process()
        return process.pid if process is not None and process.poll() is None else None

    @property
    def up(self) -> bool:
        """Return whether it is started, alive and not paused."""
        return self._started.is_set() and not self.paused and self.pid is not None

    def family(self) -> list[int]:
        """List the descendants of the process."""
        return descendants(self.pid) if self.pid else []

    def begin(self) -> None:
        """Start the process and its supervision."""
        self._thread.start()

    def wait(self, seconds: float = 120) -> None:
        """Wait until it has started."""
        assert self._started.wait(seconds), f"{self.name} did not start: {self.crashes}"

    def kill(self) -> None:
        """Kill the process."""
        self._started.clear()
        if (pid := self.pid) is not None:
            self._hit.add(pid)
            self._send(pid, signal.SIGKILL)

    def pause(self) -> None:
        """Pause the process with SIGSTOP."""
        self.paused = True
        if (pid := self.pid) is not None:
            self._send(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Resume the process."""
        self.paused = False
        if (pid := self.pid) is not None:
            self._send(pid, signal.SIGCONT)

    def close(self) -> None:
        """Begin to stop the process cleanly; `join` waits for its end."""
        self.resume()
        self._closing.set()

    def join(self) -> None:
        """Wait until the process has ended."""
        self._thread.join()

    def _send(self, pid: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            (os.killpg if self.whole else os.kill)(pid, number)

    def _keep(self) -> None:
        # one thread starts and stops it, because a process dies with the thread that started it
        while not self._closing.wait(LOOKS_EVERY):
            process = self._process()
            if process is None:
                self._start()
            elif process.poll() is not None:
                if process.pid not in self._hit:
                    self.crashes.append(f"{_clock()} {self.name} ended by itself with status {process.returncode}")
                    self._closing.wait(PAUSE)
                self._start()
        self._life.stop()

    def _start(self) -> None:
        try:
            self._life.start()
            self._started.set()
        except Exception as fault:  # noqa: BLE001 -- whatever the error, the start is repeated
            self.crashes.append(f"{_clock()} {self.name} did not start: {fault}")
            self._closing.wait(PAUSE)


def running_targets(targets: Sequence[ChaosTarget], kind: str) -> list[ChaosTarget]:
    """Return the targets of one kind that are up."""
    return [target for target in targets if target.kind == kind and target.up]


def _clock() -> str:
    return time.strftime("%H:%M:%S")
