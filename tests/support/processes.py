"""Real processes for tests: each runs in its own session, is waited for, and is always ended."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from errand.process.parent_death import signal_on_parent_death
from errand.process.waiting import NeverHappened, until

ROOT = Path(__file__).parents[2]

STOPS_IN = 20.0
"""Seconds between SIGTERM and SIGKILL."""


class Running:
    """A child process in its own session, with its output in a file and a check for its readiness."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        ready: Callable[[], object] | None = None,
        starts_in: float = 30.0,
        cwd: Path = ROOT,
    ) -> None:
        """Describe the process. `env` is added to this process's environment; `ready` is called until it is true."""
        self.name, self.command, self.log, self.cwd = name, list(command), log, cwd
        self.env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), **(env or {})}
        self.ready, self.starts_in = ready, starts_in
        self.process: subprocess.Popen[bytes] | None = None

    @classmethod
    def module(cls, module: str, *arguments: str, log: Path, **options: object) -> "Running":
        """Describe a Python module that this interpreter runs."""
        return cls(module, [sys.executable, "-m", module, *arguments], log, **options)  # type: ignore[arg-type]  # passed on

    def start(self) -> "Running":
        """Start the process unless it runs, and wait until it is ready; fail with its last lines if it never is."""
        if self.running:
            return self
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=signal_on_parent_death(signal.SIGKILL),  # noqa: PLW1509 -- only a system call, loaded before
            )
        if self.ready:
            try:
                until(lambda: self._alive() and self.ready(), self.starts_in, f"{self.name} ready")
            except (NeverHappened, AssertionError) as fault:
                self.kill9()
                raise AssertionError(f"{fault}; its last lines:\n{self.tail()}") from None
        return self

    def stop(self, patience: float = STOPS_IN) -> int:
        """Stop the process cleanly, or kill it after `patience` seconds; return its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._kill_group()
        return self.process.wait()

    def kill9(self) -> None:
        """Kill its whole process group, as the kernel does when memory runs out."""
        if self.process is not None:
            self._kill_group()
            self.process.wait()

    def interrupt(self) -> None:
        """Send SIGINT, as Ctrl-C does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)

    def restart(self) -> "Running":
        """Stop it and start it again."""
        self.stop()
        return self.start()

    def group(self) -> list[int]:
        """List the living processes of its session."""
        assert self.process is not None
        return session_members(self.process.pid)

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self.process is not None and self.process.poll() is None

    def output(self) -> str:
        """Return its whole output."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self, lines: int = 40) -> str:
        """Return the last lines of its output."""
        return "\n".join(self.output().splitlines()[-lines:])

    def _alive(self) -> bool:
        assert self.running, f"{self.name} ended with status {self.process and self.process.returncode}"
        return True

    def _kill_group(self) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def session_members(session: int) -> list[int]:
    """List the living processes of a session."""
    return [pid for pid, stat in _stats() if int(stat[3]) == session and stat[0] != "Z"]


def descendants(ancestor: int) -> list[int]:
    """List the living descendants of a process."""
    parents = {pid: int(stat[1]) for pid, stat in _stats() if stat[0] != "Z"}
    found = [ancestor]
    for parent in found:
        found.extend(pid for pid, its_parent in parents.items() if its_parent == parent)
    return found[1:]


def alive(pids: Sequence[int]) -> list[int]:
    """Return those of the processes that are alive."""
    return [pid for pid, stat in _stats() if pid in pids and stat[0] != "Z"]


def command_of(pid: int) -> str:
    """Return the command line of a process; an empty text if it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def _stats() -> list[tuple[int, list[str]]]:
    """Read state, parent, group, session ... of every process from /proc."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found.append((int(folder.name), (folder / "stat").read_text().rpartition(") ")[2].split()))
    return found
