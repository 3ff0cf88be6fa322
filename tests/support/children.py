"""A pool of children in a monkey-patched process, as in a worker. A test drives it by lines on its standard input.

Run as a program this is that process; imported it is the test's side.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path
from queue import Empty, Queue
from time import monotonic
from typing import Any, Self

ROOT = Path(__file__).parents[2]
MODULES = ("workers.operations", "tests.support.operations")
MEGABYTE = 2**20


class Run:
    """A job that was given to the pool."""

    def __init__(self, worker: "Worker", name: str) -> None:
        self.worker, self.name = worker, name

    def ending(self, seconds: float = 60) -> dict[str, Any]:
        """Wait for its end: kind, payload (parsed), retryable, traceback, place, lines, progress, seconds."""
        return self.worker.hear(f"ended {self.name}", seconds)

    def line(self, seconds: float = 60) -> str:
        """Wait for the next line of its log."""
        return self.worker.hear(f"line {self.name}", seconds)

    def cancel(self) -> None:
        """Cancel it."""
        self.worker.say(do="cancel", id=self.name)


class Worker:
    """The process with the pool."""

    def __init__(self, weight: str = "cpu", slots: int = 2, module: str = "", **env: str):
        """Start it. `module`: one more module of operations for its children; `env` is added to its environment."""
        command = [sys.executable, "-m", "tests.support.children", weight, str(slots), module]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._news: dict[str, Queue[Any]] = defaultdict(Queue)
        self._finding = threading.Lock()
        self._count = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def start(
        self,
        operation: str,
        timeout: float = 20,
        memory: int = 0,
        raw: str | None = None,
        ahead: bool = False,
        **arguments: Any,
    ) -> Run:
        """Give the pool a job; `ahead`: even if no slot is free."""
        self._count += 1
        run = Run(self, f"job-{self._count}")
        text = json.dumps(arguments) if raw is None else raw
        verb = "start" if ahead else "run"
        self.say(do=verb, id=run.name, operation=operation, arguments=text, timeout=timeout, memory=memory)
        return run

    def run(self, operation: str, **options: Any) -> dict[str, Any]:
        """Give the pool a job and wait for its end."""
        return self.start(operation, **options).ending()

    def ask(self, what: str, **options: Any) -> Any:
        """Ask the pool something and wait for the answer."""
        self.say(do=what, **options)
        return self.hear(what)

    def say(self, **order: Any) -> None:
        """Send it an order."""
        self.process.stdin.write(json.dumps(order, ensure_ascii=False) + "\n")
        self.process.stdin.flush()

    def hear(self, topic: str, seconds: float = 60) -> Any:
        """Wait for the next message on this topic."""
        try:
            return self._about(topic).get(timeout=seconds)
        except Empty:
            raise AssertionError(f"no {topic!r} within {seconds} s") from None

    def close(self) -> None:
        """Close the pool and end the process, by force if need be."""
        if self.process.poll() is None:
            with contextlib.suppress(AssertionError, OSError):
                self.ask("close")
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self) -> None:
        for line in self.process.stdout:
            topic, value = json.loads(line)
            self._about(topic).put(value)

    def _about(self, topic: str) -> Queue[Any]:
        with self._finding:  # asked by two threads at once, each would make a queue of its own
            return self._news[topic]


class Server:
    """The process's side: reads orders from standard input, writes what happens to standard output."""

    def __init__(self, weight: str, slots: str, module: str) -> None:
        from workers.compute.children import ChildPool
        from workers.operations.loader import load

        load(MODULES)
        modules = (*MODULES, module) if module else MODULES
        self.children = ChildPool(weight, int(slots), 512 * MEGABYTE, 5 * MEGABYTE, modules)
        self.latest = 0.0

    def run(self, order: dict[str, Any], ahead: bool = False) -> None:
        """Run a job and report how it ended."""
        from workers.compute.children import RunRequest

        listener, began = Listener(self, order["id"]), monotonic()
        request = RunRequest(
            order["id"], order["operation"], order["arguments"], order["timeout"], order["memory"] * MEGABYTE
        )

        def finish(ending: Any) -> None:
            news = {"kind": ending.kind, "payload": json.loads(ending.payload), "retryable": ending.retryable}
            news |= {"traceback": ending.trace.text, "place": ending.trace.place}
            news |= {"lines": listener.lines, "progress": listener.fractions, "seconds": monotonic() - began}
            self.tell(f"ended {order['id']}", news)

        if ahead:
            self.children.start(request, listener, finish)
        else:
            finish(self.children.run(request, listener))

    def do(self, order: dict[str, Any]) -> None:
        """Carry out one line of input."""
        match order.pop("do"):
            case "run":
                self.run(order)
            case "start":
                self.run(order, ahead=True)
            case "cancel":
                self.children.cancel(order["id"])
            case "pids":
                self.tell("pids", sorted(child.pid for child in self.children._supply.children))
            case "lateness":
                self.tell("lateness", self.latest)
            case verb:
                self.tell(verb, getattr(self.children, verb)(**order))

    def tick(self) -> None:
        """Wake up every 50 ms, as a heartbeat does, and note the largest delay."""
        before = monotonic()
        while True:
            eventlet.sleep(0.05)
            now = monotonic()
            self.latest, before = max(self.latest, now - before - 0.05), now

    def serve(self) -> None:
        """Read orders and carry them out."""
        from eventlet.green.os import read

        eventlet.spawn_n(self.tick)
        os.set_blocking(0, False)
        pieces: list[bytes] = []
        while data := read(0, 1 << 20):
            pieces.append(data)
            if b"\n" in data:
                *lines, rest = b"".join(pieces).split(b"\n")
                pieces = [rest]
                for line in lines:
                    eventlet.spawn_n(self.do, json.loads(line))

    @staticmethod
    def tell(topic: str, value: object) -> None:
        """Write a line of output."""
        sys.stdout.write(json.dumps([topic, value]) + "\n")
        sys.stdout.flush()


class Listener:
    """Keeps the reports of a job, and writes its first lines at once."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self.lines: list[str] = []
        self.fractions: list[list[Any]] = []

    def progress(self, fraction: float, message: str | None) -> None:
        """Keep its progress."""
        self.fractions.append([fraction, message])

    def line(self, text: str) -> None:
        """Keep a line of its log."""
        self.lines.append(text)
        if len(self.lines) <= 10:
            self.server.tell(f"line {self.name}", text)


if __name__ == "__main__":
    from errand.process.logs import configure, silence_known_warnings

    silence_known_warnings()
    import eventlet

    eventlet.monkey_patch()
    configure("INFO")
    Server(*sys.argv[1:]).serve()
