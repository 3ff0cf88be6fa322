"""Processes that live and die together, with their lines in one stream: honcho's manager, made strict.

Stands between `run.py`, which says what is started, and the processes. Three things are added to honcho: a child
takes its whole process group with it, nothing survives a killed manager, and it is known who stopped first.
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
"""Lines of each process that are kept, to be shown when it is the one that stopped."""


class ProcessGroup(Manager):  # type: ignore[misc]  # honcho carries no annotations
    """Runs the processes until one of them stops or somebody asks; then all stop."""

    def __init__(self) -> None:
        """Print to stdout, a line each, with the name of the process before it."""
        self.lines = ProcessOutput()
        super().__init__(self.lines)
        self._process_ctor = TiedProcess
        self.first_stopped: str | None = None
        self._asked_early = False

    def add(self, name: str, command: Sequence[str], env: dict[str, str]) -> None:
        """Add a process, to be started by `loop`."""
        self.add_process(name, list(command), env=env)

    def terminate(self) -> None:
        """Stop them all, and keep who had stopped by himself."""
        if not super()._all_started():
            self._asked_early = True  # honcho doesn't know yet whom to stop; `_all_started` comes back to it
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
        """List the processes, in the order in which they start."""
        return list(self._processes)

    @property
    def stopping(self) -> bool:
        """Tell whether it was asked to stop, or one process stopped by itself."""
        return bool(self._terminating or self._asked_early)


class TiedProcess(Process):  # type: ignore[misc]  # honcho carries no annotations
    """A child with its own process group, which ends with it, and with the manager, whatever happens to either.

    honcho runs this in a small process of its own beside each child. When the manager is killed, that process gets
    SIGHUP and kills the child's group; when that process is killed, the child is.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what honcho gives; only the way of starting differs."""
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
            _kill_group(child.pid)  # a grandchild would keep the pipe open, and honcho would wait for it

        signal.signal(signal.SIGHUP, manager_died)
        die_with_parent(self._manager, signal.SIGHUP)
        threading.Thread(target=child_died, daemon=True).start()
        return child


class ProcessOutput(Printer):  # type: ignore[misc]  # honcho carries no annotations
    """Prints the lines of the processes, not those of honcho about itself, and remembers the last ones."""

    def __init__(self) -> None:
        """Start with nothing remembered."""
        super().__init__()
        self.last: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def write(self, message: Any) -> None:
        """Print and remember one message."""
        if message.name == SYSTEM_PRINTER_NAME:
            return
        self.last[message.name].append(message.data.decode(errors="replace").rstrip())
        super().write(message)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
