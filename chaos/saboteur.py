"""The saboteur: does the faults of the plan, one after the other, and lets go on what it held up.

Stands beside the whole life of a job. Next: `witness.py`, which is told of each fault.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar, cast

from chaos.faults import ChaosFault
from chaos.receiver import Behaviour
from chaos.scene import Scene
from chaos.targets import ChaosTarget, up_of

Found = TypeVar("Found")

FINDS_IN = 5.0
"""Seconds within which something of a fault's kind must be up, or the fault is left out."""
SPARED = ("valkey", "rabbitmq")
"""Kinds that may be hit although nothing of the same kind is left, where there is only one of them."""


@dataclass(frozen=True)
class Done:
    """A fault as it was done: to whom, when (s since 1970), the process that was hit and the one above it."""

    fault: ChaosFault
    name: str
    at: float
    pid: int
    owner: int
    until: float
    """When what was held went on; the same as `at` for a kill."""


class Saboteur:
    """One thread that does the faults."""

    def __init__(self, scene: Scene, faults: Sequence[ChaosFault], seed: int, tell: Callable[[Done], None]) -> None:
        """Do `faults`; `tell` is called after each."""
        self.done: list[Done] = []
        self.left_out: list[ChaosFault] = []
        self._scene, self._faults, self._tell = scene, faults, tell
        self._random = Random(f"saboteur {seed}")
        self._releases: list[threading.Timer] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Do no more."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until all faults are done and over."""
        self._thread.join()
        for timer in self._releases:
            timer.join()

    def _run(self) -> None:
        began = time.monotonic()
        for fault in self._faults:
            if self._stopping.wait(max(0.0, began + fault.at - time.monotonic())):
                return
            done = self._do(fault)
            if done is None:
                self.left_out.append(fault)
                continue
            self.done.append(done)
            sys.stdout.write(f"{time.strftime('%H:%M:%S')} {fault}: {done.name} ({done.pid})\n")
            self._tell(done)

    def _do(self, fault: ChaosFault) -> Done | None:
        if fault.kind == "smtp":
            return self._mislead(fault)
        if fault.kind == "receiver":
            return self._mislead_receiver(fault)
        if fault.kind.endswith(" child"):
            return self._hit_child(fault)
        target = self._found(lambda: self._victim(fault.kind))
        if target is None or (pid := target.pid) is None:
            return None
        if fault.what == "kill":
            at = time.time()
            target.kill()
            return Done(fault, target.name, at, pid, pid, at)
        at = time.time()
        target.hold()
        self._later(fault.seconds, target.release)
        return Done(fault, target.name, at, pid, pid, at + fault.seconds)

    def _victim(self, kind: str) -> ChaosTarget | None:
        """Choose one that is up, if another of its kind is up too: who deploys one of each asks for outages."""
        up = up_of(self._scene.targets, kind)
        alone = len([target for target in self._scene.targets if target.kind == kind]) == 1
        majority = kind != "rabbitmq" or len(up) == len(self._scene.cluster.nodes)
        if up and (alone or (len(up) > 1 and majority)):
            return self._random.choice(up)
        return None

    def _hit_child(self, fault: ChaosFault) -> Done | None:
        found = self._found(lambda: self._children(fault.kind))
        if not found:
            return None
        owner, pid = self._random.choice(found)
        kill = fault.what == "kill"
        at = time.time()
        _send(pid, signal.SIGKILL if kill else signal.SIGSTOP)
        if not kill:
            self._later(fault.seconds, lambda: _send(pid, signal.SIGCONT))
        return Done(fault, owner.name, at, pid, owner.pid or 0, at if kill else at + fault.seconds)

    def _children(self, kind: str) -> list[tuple[ChaosTarget, int]]:
        """Find the processes of a kind below those that are up."""
        if kind == "api child":
            return [(target, pid) for target in up_of(self._scene.targets, "api") for pid in target.family()]
        weight = f'"weight": "{kind.removesuffix(" child")}"'
        compute = up_of(self._scene.targets, "compute")
        return [(target, pid) for target in compute for pid in target.family() if weight in _command(pid)]

    def _mislead(self, fault: ChaosFault) -> Done:
        """Have the mail server misbehave for a while."""
        sink = self._scene.sink
        match fault.what:
            case "refuse":
                sink.answers["DATA"] = "451 Come back later"
            case "turn away":
                sink.answers["CONNECT"] = "421 Too busy"
            case "hang":
                sink.hang_at = self._random.choice(["CONNECT", "MAIL", "DATA"])
            case "drop":
                sink.drop_at = self._random.choice(["CONNECT", "RCPT", "DATA"])
        at = time.time()
        self._later(fault.seconds, self._behave)
        told = sink.hang_at or sink.drop_at or next(iter(sink.answers), "")
        return Done(fault, f"mail server, at {told}", at, 0, 0, at + fault.seconds)

    def _behave(self) -> None:
        sink = self._scene.sink
        sink.answers.clear()
        sink.hang_at = sink.drop_at = None

    def _mislead_receiver(self, fault: ChaosFault) -> Done:
        """Have the receiver of webhooks misbehave for a while."""
        at = time.time()
        self._scene.receiver.behave(cast(Behaviour, fault.what))
        self._later(fault.seconds, lambda: self._scene.receiver.behave("well"))
        return Done(fault, "receiver", at, 0, 0, at + fault.seconds)

    def _later(self, seconds: float, act: Callable[[], object]) -> None:
        timer = threading.Timer(seconds, act)
        timer.start()
        self._releases.append(timer)

    @staticmethod
    def _found(look: "Callable[[], Found | None]") -> "Found | None":
        deadline = time.monotonic() + FINDS_IN
        while not (found := look()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    except OSError:
        return ""
