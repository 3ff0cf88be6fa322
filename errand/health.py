"""The pulse of a process: a file touched every few seconds, and the check that reads it; and that it has started.

Stands beside the life of a job: workers call `beat()` from their hub, so a hub that is blocked, or a process that
hangs, goes quiet; `python -m errand.health` is the health check of their containers (docker-compose.yml). Who
started them is told when they listen, as systemd has it: `make run` and units of `Type=notify` wait for that.
"""

import os
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

HEALTH_FILE = "HEALTH_FILE"
"""Environment variable with the path of the file. Read here and not through Settings, because the check runs every few
seconds in every container and must cost no more than the standard library does."""

NOTIFY_SOCKET = "NOTIFY_SOCKET"
"""Environment variable with the address of a datagram socket, as of sd_notify(3)."""

STARTED = b"READY=1"

PATIENCE = 30.0
"""Seconds without a beat after which the process counts as dead."""


def beat(path: str | None = None) -> None:
    """Write down that this process is alive now; do nothing where neither `path` nor HEALTH_FILE names a file.

    The time is the monotonic clock, which all processes of a machine share and no clock change moves.
    """
    target = path or os.environ.get(HEALTH_FILE)
    if not target:
        return
    draft = Path(f"{target}.{os.getpid()}")
    try:
        draft.write_text(f"{time.monotonic():.3f}\n", encoding="ascii")
        draft.replace(target)  # whole or not at all: the check never reads half a number
    except OSError:
        return  # a full disk must not stop a worker; the check will tell that the beats stopped


def notify_started() -> None:
    """Tell whoever started this process that it does its work now, where NOTIFY_SOCKET says how."""
    address = os.environ.get(NOTIFY_SOCKET)
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notice, suppress(OSError):  # nobody may wait any more
        notice.sendto(STARTED, address.replace("@", "\0", 1) if address.startswith("@") else address)


def find_problem(path: str | None = None) -> str | None:
    """Give None when the last beat is young enough, else the sentence that says what is wrong."""
    target = path or os.environ.get(HEALTH_FILE)
    if not target:
        return f"{HEALTH_FILE} is not set, so there is no pulse to read."
    try:
        age = time.monotonic() - float(Path(target).read_text(encoding="ascii"))
    except OSError:
        return f"There was no beat yet: {target} can't be read."
    except ValueError:
        return f"{target} holds no time; is it the file that {HEALTH_FILE} names?"
    if not -1 < age < PATIENCE:  # further below 0: the file is from before a restart of the machine
        return f"The last beat is {age:.0f} s old; {PATIENCE:.0f} s are allowed."
    return None


def main() -> int:
    """Do as `python -m errand.health`: exit status 0 while the pulse is there, else 1 and a sentence on stderr."""
    problem = find_problem()
    if problem:
        sys.stderr.write(f"errand: {problem}\n")
    return 1 if problem else 0


if __name__ == "__main__":
    raise SystemExit(main())
