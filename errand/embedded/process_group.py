"""Runs processes that stop together, and merges their output: honcho's manager with three additions.

A child that ends takes its whole process group with it, no process survives a killed manager, and the manager knows
which process stopped first.
"""

import contextlib
import os
import signal
import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Printer
from honcho.process import Popen, Process

from errand.process.parent_death import die_with_parent, signal_on_parent_death

REMEMBERED = 15
"""Last lines kept of each process, to be shown if that process stops first."""


class ProcessGroup(Manager):  # type: ignore[misc]  # honcho carries no annotations
    """Runs the processes until one of them stops or the user stops the run; then stops all."""

    def __init__(self) -> None:
        """Print each line to stdout, after the name of its process."""
        self.lines = ProcessOutput()
        super().__init__(self.lines)
        self._process_ctor = TiedProcess
        self.first_stopped: str | None = None
        self._asked_early = False

    def add(self, name: str, command: Sequence[str], env: dict[str, str]) -> None:
        """Add a process; `loop` starts it."""
        self.add_process(name, list(command), env=env)

    def terminate(self) -> None:
        """Stop all processes, and remember the one that had stopped by itself."""
        if not super()._all_started():
            self._asked_early = True  # honcho doesn't know all processes yet; `_all_started` stops them then
            return
        if not self._terminating:
            ended = (name for name, process in self._processes.items() if process.get("returncode") is not None)
            self.first_stopped = self.first_stopped or next(ended, None)
        super().terminate()

    def _all_started(self) -> bool:
        started = bool(super()._all_started())
        if started and self._asked_early:
            self._asked_early = False
            self.terminate()
        return started

    @property
    def names(self) -> list[str]:
        """List the names of the processes, in the order in which they start."""
        return list(self._processes)

    @property
    def stopping(self) -> bool:
        """Return whether the processes are being stopped, for whatever reason."""
        return bool(self._terminating or self._asked_early)


class TiedProcess(Process):  # type: ignore[misc]  # honcho carries no annotations
    """A child in its own process group. The group ends when the child or the manager ends, even if killed.

    honcho runs this in a small watching process for each child. When the manager is killed, the watching process gets
    SIGHUP and kills the child's group; when the watching process is killed, so is the child.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Replace the way in which honcho starts the child."""
        super().__init__(*args, **kwargs)
        self._child_ctor = self._start_tied
        self._manager = os.getpid()

    def _start_tied(self, command: list[str], **options: Any) -> Any:
        child = Popen(command, shell=False, preexec_fn=signal_on_parent_death(signal.SIGKILL), **options)

        def manager_died(*_: Any) -> None:
            _kill_group(child.pid)
            os._exit(1)

        def child_died() -> None:
            child.wait()
            _kill_group(child.pid)  # a grandchild would keep the pipe open, and honcho would wait for its end

        signal.signal(signal.SIGHUP, manager_died)
        die_with_parent(self._manager, signal.SIGHUP)
        threading.Thread(target=child_died, daemon=True).start()
        return child


class ProcessOutput(Printer):  # type: ignore[misc]  # honcho carries no annotations
    """Prints the lines of the processes, but not honcho's own, and remembers the last ones."""

    def __init__(self) -> None:
        """Remember no lines yet."""
        super().__init__()
        self.last: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def write(self, message: Any) -> None:
        """Print and remember one line."""
        if message.name == SYSTEM_PRINTER_NAME:
            return
        self.last[message.name].append(message.data.decode(errors="replace").rstrip())
        super().write(message)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
