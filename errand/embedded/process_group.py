"""Runs processes that stop together, and merges their output: honcho's manager with four additions.

A child that ends takes its whole process group with it, no process survives a killed manager, the manager knows which
process stopped first, and a stop takes as long as it needs unless Ctrl-C cuts it short.
"""

import contextlib
import os
import signal
import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from time import monotonic
from typing import Any

from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Printer
from honcho.process import Popen, Process

from errand.embedded.console import may_be_closed
from errand.process.parent_death import die_with_parent, signal_on_parent_death
from errand.process.start_method import fork_processes

REMEMBERED = 15
"""Last lines kept of each process, to be shown if that process stops first."""
CUT_SHORT_SECONDS = 8.0
"""How long a stop may take once it is cut short; enough for the workers to hand their jobs back."""
MANAGER_DIED = signal.SIGUSR1
"""The signal to the watching processes; a closed terminal sends them SIGHUP, which they must outlive."""


class ProcessGroup(Manager):  # type: ignore[misc]  # honcho carries no annotations
    """Runs the processes until one of them stops or the user stops the run; then stops all."""

    def __init__(self, stops_in: float) -> None:
        """Print each line to stdout, after the name of its process. A stop may take `stops_in` seconds."""
        fork_processes()  # each watching process must be a child of this one, whose death it awaits
        self.lines = ProcessOutput()
        super().__init__(self.lines)
        self._process_ctor = TiedProcess
        self.first_stopped: str | None = None
        self._asked_early = False
        self.stops_in, self._kill_at = stops_in, float("inf")
        self.at_once = False
        """Whether the stop was cut short."""

    def add(self, name: str, command: Sequence[str], env: dict[str, str]) -> None:
        """Add a process; `loop` starts it."""
        self.add_process(name, list(command), env=env)

    def loop(self) -> None:
        """Start all processes, print their output, and return when all have ended."""
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` ignores it
            signal.signal(signal.SIGHUP, self._on_signal)
        super().loop()

    def kill(self) -> None:
        """Kill all processes if their time to stop is over; the loop asks this again and again."""
        if monotonic() >= self._kill_at:
            super().kill()

    def interrupt(self) -> None:
        """Send SIGINT to all processes, by which workers hand their jobs back at once."""
        for name in self.running:
            _signal_group(self._processes[name]["pid"], signal.SIGINT)

    def _on_signal(self, number: int, _: object) -> None:
        """Stop all processes; Ctrl-C during a stop cuts it short. Only sets flags and sends signals."""
        if number == signal.SIGINT and self.stopping:
            self._cut_short()
        else:
            self.terminate()

    def _cut_short(self) -> None:
        if not self.at_once and not self._asked_early:
            self.at_once, self._kill_at = True, monotonic() + CUT_SHORT_SECONDS
            self.interrupt()

    def terminate(self) -> None:
        """Stop all processes, and remember the one that had stopped by itself."""
        if not super()._all_started():
            self._asked_early = True  # honcho doesn't know all processes yet; `_all_started` stops them then
            return
        if not self._terminating:
            ended = (name for name, process in self._processes.items() if process.get("returncode") is not None)
            self.first_stopped = self.first_stopped or next(ended, None)
            self._kill_at = monotonic() + self.stops_in
        super().terminate()

    def _all_started(self) -> bool:
        started = bool(super()._all_started())
        for number in (signal.SIGINT, signal.SIGTERM):  # the loop has set honcho's handlers, which can't cut short
            if signal.getsignal(number) != self._on_signal:
                signal.signal(number, self._on_signal)
        if started and self._asked_early:
            self._asked_early = False
            self.terminate()
        return started

    @property
    def names(self) -> list[str]:
        """List the names of the processes, in the order in which they start."""
        return list(self._processes)

    @property
    def running(self) -> list[str]:
        """List the processes that haven't ended."""
        return [name for name, process in self._processes.items() if process.get("returncode") is None]

    @property
    def stopping(self) -> bool:
        """Return whether the processes are being stopped, for whatever reason."""
        return bool(self._terminating or self._asked_early)


class TiedProcess(Process):  # type: ignore[misc]  # honcho carries no annotations
    """A child in its own process group. The group ends when the child or the manager ends, even if killed.

    honcho runs this in a small watching process for each child. When the manager is killed, the watching process gets
    a signal and kills the child's group; when the watching process is killed, so is the child.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Replace the way in which honcho starts the child."""
        super().__init__(*args, **kwargs)
        self._child_ctor = self._start_tied
        self._manager = os.getpid()

    def _start_tied(self, command: list[str], **options: Any) -> Any:
        signal.signal(signal.SIGHUP, lambda *_: None)  # not SIG_IGN, which the child would inherit
        child = Popen(command, shell=False, preexec_fn=signal_on_parent_death(signal.SIGKILL), **options)

        def manager_died(*_: Any) -> None:
            _signal_group(child.pid, signal.SIGKILL)
            os._exit(1)

        def child_died() -> None:
            child.wait()
            # A grandchild would keep the pipe open, and honcho would wait for its end.
            _signal_group(child.pid, signal.SIGKILL)

        signal.signal(MANAGER_DIED, manager_died)
        die_with_parent(self._manager, MANAGER_DIED)
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
        with may_be_closed():
            super().write(message)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
