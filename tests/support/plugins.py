"""Worker processes with the plug-in in `tests/support/plugin/`, or with other plug-ins."""

import itertools
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from errand.broker.caller import Caller
from errand.broker.cluster_proxy import Cluster
from tests.support.processes import Running

PLUGIN = "tests.support.plugin"


class Instances:
    """Worker processes that run services of a plug-in; they share a notebook, in which services write lines."""

    def __init__(self, folder: Path, env: dict[str, str], plugin: str = PLUGIN) -> None:
        """Run them in `folder`, on the servers that `env` names."""
        self.folder, self.notebook = folder, folder / "notebook"
        self.env = {**env, "EXAMPLES": plugin, "NOTEBOOK": str(self.notebook), "LOG_LEVEL": "DEBUG"}
        self._numbers = itertools.count(1)
        self._all: list[Running] = []

    def start(self, *services: str, listening: int = 1, **env: str) -> Running:
        """Start an instance of these services, and return when it listens for so many kinds of calls and events."""
        log = self.folder / f"{'-'.join(services)}-{next(self._numbers)}.log"
        command = [sys.executable, "-m", "workers", *services]
        instance = Running(log.stem, command, log, env={**self.env, **env}, cwd=self.folder)
        instance.ready = lambda: is_ready(instance.output(), listening)
        self._all.append(instance)
        return instance.start()

    def lines(self, word: str = "") -> list[str]:
        """Return what was noted so far and begins with `word`, without it."""
        noted = self.notebook.read_text().splitlines() if self.notebook.exists() else []
        return [line.removeprefix(word).strip() for line in noted if line.startswith(word)]

    def end(self) -> None:
        """Kill all instances."""
        for instance in self._all:
            instance.kill9()


def is_ready(output: str, listening: int) -> bool:
    """Tell by what an instance said whether it has started, and listens."""
    return "action=started" in output and output.count("action=listening") >= listening


@contextmanager
def instances(folder: Path, env: dict[str, str], plugin: str = PLUGIN) -> Iterator[Instances]:
    """Give instances that are ended with the `with`."""
    here = Instances(folder, env, plugin)
    try:
        yield here
    finally:
        here.end()


@contextmanager
def cluster_on(uri: str, timeout: float = 20.0, caller: Caller | None = None) -> Iterator[Cluster]:
    """Return what `api.extending.cluster` does, outside of Flask."""
    own = caller or Caller(uri)
    try:
        yield Cluster(own, monotonic() + timeout)
    finally:
        own.forget()
        if caller is None:
            own.stop()


def results(calls: Sequence) -> list:
    """Wait for the replies to all calls."""
    return [call.result() for call in calls]
