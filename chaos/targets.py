"""A process of the run that is kept alive, and may be hit. Each has a thread that starts it whenever it is gone.

Stands under the injector, as the operating system's supervisor does. Next: `deployment.py`, which names all of them.
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
"""Seconds between two looks at a process: about as long as systemd's restart takes."""
PAUSE = 0.5
"""Seconds before a process that did not start is started repeated."""


class Lifecycle(Protocol):
    """How a process is started and ended."""

    def start(self) -> object:
        """Start it."""

    def stop(self) -> object:
        """End it in good order."""


class ChaosTarget:
    """One process (with its family) of one kind."""

    def __init__(
        self,
        name: str,
        kind: str,
        life: Lifecycle,
        process: "Callable[[], subprocess.Popen[bytes] | None]",
        whole: bool = False,
    ) -> None:
        """Keep `life` alive. `whole`: a hit goes to its whole process group, as when its machine is gone."""
        self.name, self.kind, self.whole = name, kind, whole
        self._life, self._process = life, process
        self._started = threading.Event()
        self._closing = threading.Event()
        self._hit: set[int] = set()
        self._thread = threading.Thread(target=self._keep, name=name)
        self.held = False
        self.crashes: list[str] = []
        """What nobody did to it: it ended by itself, or did not start."""

    @property
    def pid(self) -> int | None:
        """Its process id, if it lives."""
        process = self._process()
        return process.pid if process is not None and process.poll() is None else None

    @property
    def up(self) -> bool:
        """Tell whether it was started and is neither dead nor held."""
        return self._started.is_set() and not self.held and self.pid is not None

    def family(self) -> list[int]:
        """List the processes below it."""
        return descendants(self.pid) if self.pid else []

    def begin(self) -> None:
        """Start it, and keep it from now on."""
        self._thread.start()

    def wait(self, seconds: float = 120) -> None:
        """Wait until it has been started."""
        assert self._started.wait(seconds), f"{self.name} did not start: {self.crashes}"

    def kill(self) -> None:
        """End it at once."""
        self._started.clear()
        if (pid := self.pid) is not None:
            self._hit.add(pid)
            self._send(pid, signal.SIGKILL)

    def pause(self) -> None:
        """Stop it where it stands."""
        self.held = True
        if (pid := self.pid) is not None:
            self._send(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.held = False
        if (pid := self.pid) is not None:
            self._send(pid, signal.SIGCONT)

    def close(self) -> None:
        """End it in good order; returns at once, `join` waits."""
        self.resume()
        self._closing.set()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    def _send(self, pid: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            (os.killpg if self.whole else os.kill)(pid, number)

    def _keep(self) -> None:
        # started and ended by one thread: a process dies with the thread that started it
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
        except Exception as fault:  # noqa: BLE001 -- whatever it was, it is started repeated
            self.crashes.append(f"{_clock()} {self.name} did not start: {fault}")
            self._closing.wait(PAUSE)


def running_targets(targets: Sequence[ChaosTarget], kind: str) -> list[ChaosTarget]:
    """Give those of one kind that are up."""
    return [target for target in targets if target.kind == kind and target.up]


def _clock() -> str:
    return time.strftime("%H:%M:%S")
