"""Operations that run alone in a child process, well and badly behaved."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from workers.operations.registry import operation, progress

OLDEST_TRICKS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@operation(timeout=5)
def echo(value: Any = None) -> Any:
    """Give back what it gets."""
    return value


@operation()
def who() -> dict[str, Any]:
    """Say in what process it runs."""
    return {
        "pid": os.getpid(),
        "modules": sorted(sys.modules),
        "folder": str(Path.cwd()),
        "secrets": sorted({"AMQP_URI", "REDIS_URL", "SMTP_URL", "WEBHOOK_SECRET"} & set(os.environ)),
        "input": sys.stdin.read(),
    }


@operation()
def talk() -> None:
    """Print and log in every way there is."""
    print("printed")
    logging.getLogger("somebody").info("logged with %s", "care")
    sys.stderr.write("complained\n")
    ctypes.CDLL(None).puts(b"from C")
    print("cut " + "é" * 3000)
    print("without an end", end="")


@operation()
def flood(lines: int) -> None:
    """Print very many lines."""
    for number in range(lines):
        print(f"line {number} of a flood that nobody wants to read to its end")


@operation()
def report(times: int) -> None:
    """Report progress in each turn of a loop."""
    for number in range(times):
        progress((number + 1) / times, f"turn {number + 1}")


@operation()
def report_from_thread() -> None:
    """Report progress from a thread of its own."""
    thread = threading.Thread(target=progress, args=[0.5, "from a thread"])
    thread.start()
    thread.join()


@operation()
def segfault() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


@operation()
def exits(status: int) -> None:
    """Leave without a word."""
    os._exit(status)


@operation()
def dies(number: int) -> None:
    """Send itself a signal."""
    os.kill(os.getpid(), number)


@operation()
def burn() -> None:
    """Compute without end, deaf to signals."""
    for number in OLDEST_TRICKS:
        signal.signal(number, signal.SIG_IGN)
    print("burning")
    while True:
        pass


@operation()
def eat(pause: float = 0.0) -> int:
    """Take all the memory there is."""
    plate = []
    while True:
        plate.append(b"x" * 2**20)
        time.sleep(pause)


@operation()
def eat_by_proxy() -> None:
    """Have processes take memory, each less than one may."""
    code = "import time; plate = b'x' * (40 * 2**20); time.sleep(60)"
    for each in [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]:
        each.wait()


@operation()
def fork(leave: bool = False) -> int:
    """Leave a process behind, in a session of its own when it is to `leave`; give its number."""
    return subprocess.Popen(["sleep", "600"], start_new_session=leave).pid


@operation()
def fork_and_wait(leave: bool = False) -> None:
    """Start a process, print its number and wait for it."""
    process = subprocess.Popen(["sleep", "600"], start_new_session=leave)
    print(process.pid)
    process.wait()


@operation()
def fork_and_exit() -> None:
    """Start a process that keeps every descriptor, print its number and leave it behind."""
    if pid := os.fork():
        print(pid, flush=True)
        os._exit(3)
    time.sleep(600)


@operation()
def fork_and_crash() -> None:
    """Start a copy that crashes, and outlive it."""
    if pid := os.fork():
        os.waitpid(pid, 0)
    else:
        ctypes.string_at(0)


@operation()
def fork_twice() -> str:
    """Come out of a fork on both sides."""
    return "child" if os.fork() == 0 else "parent"


@operation()
def long(size: int) -> str:
    """Give a text of this many bytes."""
    return "x" * size


@operation()
def measure(text: str) -> int:
    """Measure a text."""
    return len(text)


@operation()
def not_a_number() -> float:
    """Give what JSON has no word for."""
    return float("nan")


@operation()
def half() -> str:
    """Give half a character."""
    return "\ud800"


@operation(retry_on=[ConnectionError, TimeoutError])
def fails(kind: str) -> None:
    """Raise something, of the strangest kinds too."""
    raise {
        "value": ValueError("no such value"),
        "connection": ConnectionResetError("the line is dead"),
        "exit": SystemExit(4),
        "interrupt": KeyboardInterrupt(),
        "generator": GeneratorExit("bye"),
        "base": BaseException("the mother of all"),
        "half": ValueError("\ud800 half a character"),
        "speechless": Speechless(),
        "weird": Weird("weird"),
    }[kind]


@operation(retry_on=[TimeoutError])
def dawdle() -> None:
    """Take its time."""
    time.sleep(600)


@operation()
def litter() -> str:
    """Leave files behind and go elsewhere."""
    Path("here").write_text("litter")
    Path("folder").mkdir()
    Path("folder", "there").write_text("litter")
    _, path = tempfile.mkstemp()
    os.chdir("/")
    return path


@operation()
def litter_and_burn() -> None:
    """Leave a file behind, say where, and compute without end."""
    print(tempfile.mkstemp()[1])
    while True:
        pass


@operation()
def rest_a_while(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


@operation()
def close_output() -> None:
    """Close what it prints to."""
    print("last words")
    sys.stdout.close()


@operation()
def leave_thread() -> int:
    """Leave a thread behind that keeps a process alive."""
    threading.Thread(target=time.sleep, args=[600]).start()
    return os.getpid()


class Speechless(Exception):
    """Can't even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


class Weird(BaseException):
    """Comes from nowhere."""


@operation(memory=64 * 2**20)
def eat_a_little_limited() -> int:
    """Take all the memory there is, and be stopped early."""
    return eat()


@operation()
def burn_for(seconds: float) -> None:
    """Keep a processor busy for some seconds."""
    print("burning")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pass
