"""Injects the planned faults one after the other, and resumes what it paused.

Next: `observer.py`, which is notified of each fault.
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

from chaos.deployment import Deployment
from chaos.faults import ChaosFault
from chaos.receiver import Behaviour
from chaos.targets import ChaosTarget, running_targets

Found = TypeVar("Found")

FINDS_IN = 5.0
"""Seconds within which a suitable process must be up; otherwise the fault is skipped."""
SPARED = ("valkey", "rabbitmq")
"""Kinds that may be hit even if no other process of the kind is up, where there is only one."""


@dataclass(frozen=True)
class InjectedFault:
    """An injected fault: its target, its time (s since 1970), the process that was hit and the service above it."""

    fault: ChaosFault
    name: str
    at: float
    pid: int
    owner: int
    until: float
    """When the paused target was resumed; equal to `at` for a kill."""


class FaultInjector:
    """A thread that injects the faults."""

    def __init__(
        self, deployment: Deployment, faults: Sequence[ChaosFault], seed: int, tell: Callable[[InjectedFault], None]
    ) -> None:
        """Inject `faults`; call `tell` after each."""
        self.injected: list[InjectedFault] = []
        self.skipped: list[ChaosFault] = []
        self._deployment, self._faults, self._tell = deployment, faults, tell
        self._random = Random(f"saboteur {seed}")  # a fixed text, so that a seed keeps choosing the same targets
        self._resume_timers: list[threading.Timer] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Start injecting."""
        self._thread.start()

    def stop(self) -> None:
        """Inject no further faults."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until all faults are injected and over."""
        self._thread.join()
        for timer in self._resume_timers:
            timer.join()

    def _run(self) -> None:
        began = time.monotonic()
        for fault in self._faults:
            if self._stopping.wait(max(0.0, began + fault.at - time.monotonic())):
                return
            injected = self._do(fault)
            if injected is None:
                self.skipped.append(fault)
                continue
            self.injected.append(injected)
            sys.stdout.write(f"{time.strftime('%H:%M:%S')} {fault}: {injected.name} ({injected.pid})\n")
            self._tell(injected)

    def _do(self, fault: ChaosFault) -> InjectedFault | None:
        if fault.kind == "smtp":
            return self._disturb_mail_server(fault)
        if fault.kind == "receiver":
            return self._disturb_receiver(fault)
        if fault.kind.endswith(" child"):
            return self._hit_child(fault)
        target = self._found(lambda: self._victim(fault.kind))
        if target is None or (pid := target.pid) is None:
            return None
        if fault.what == "kill":
            at = time.time()
            target.kill()
            return InjectedFault(fault, target.name, at, pid, pid, at)
        at = time.time()
        target.pause()
        self._schedule(fault.seconds, target.resume)
        return InjectedFault(fault, target.name, at, pid, pid, at + fault.seconds)

    def _victim(self, kind: str) -> ChaosTarget | None:
        """Choose a process that is up. If there are several of its kind, another one must be up too."""
        up = running_targets(self._deployment.targets, kind)
        alone = len([target for target in self._deployment.targets if target.kind == kind]) == 1
        majority = kind != "rabbitmq" or len(up) == len(self._deployment.cluster.nodes)
        if up and (alone or (len(up) > 1 and majority)):
            return self._random.choice(up)
        return None

    def _hit_child(self, fault: ChaosFault) -> InjectedFault | None:
        found = self._found(lambda: self._children(fault.kind))
        if not found:
            return None
        owner, pid = self._random.choice(found)
        kill = fault.what == "kill"
        at = time.time()
        _send(pid, signal.SIGKILL if kill else signal.SIGSTOP)
        if not kill:
            self._schedule(fault.seconds, lambda: _send(pid, signal.SIGCONT))
        return InjectedFault(fault, owner.name, at, pid, owner.pid or 0, at if kill else at + fault.seconds)

    def _children(self, kind: str) -> list[tuple[ChaosTarget, int]]:
        """Find the child processes of a kind below services that are up."""
        if kind == "api child":
            return [
                (target, pid) for target in running_targets(self._deployment.targets, "api") for pid in target.family()
            ]
        weight = f'"weight": "{kind.removesuffix(" child")}"'
        compute = running_targets(self._deployment.targets, "compute")
        return [(target, pid) for target in compute for pid in target.family() if weight in _command(pid)]

    def _disturb_mail_server(self, fault: ChaosFault) -> InjectedFault:
        """Make the mail server misbehave for a while."""
        sink = self._deployment.sink
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
        self._schedule(fault.seconds, self._restore_mail_server)
        stage = sink.hang_at or sink.drop_at or next(iter(sink.answers), "")
        return InjectedFault(fault, f"mail server, at {stage}", at, 0, 0, at + fault.seconds)

    def _restore_mail_server(self) -> None:
        sink = self._deployment.sink
        sink.answers.clear()
        sink.hang_at = sink.drop_at = None

    def _disturb_receiver(self, fault: ChaosFault) -> InjectedFault:
        """Make the webhook receiver misbehave for a while."""
        at = time.time()
        self._deployment.receiver.behave(cast(Behaviour, fault.what))
        self._schedule(fault.seconds, lambda: self._deployment.receiver.behave("well"))
        return InjectedFault(fault, "receiver", at, 0, 0, at + fault.seconds)

    def _schedule(self, seconds: float, act: Callable[[], object]) -> None:
        timer = threading.Timer(seconds, act)
        timer.start()
        self._resume_timers.append(timer)

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
