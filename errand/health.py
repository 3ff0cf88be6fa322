"""The health check of a worker: a file that the worker touches every few seconds, and the command that reads it.

Workers call `beat()` from their event loop, so the beats stop if the loop is blocked or the process hangs.
`python -m errand.health` is the health check of their containers (docker-compose.yml). `notify` tells systemd
(units of `Type=notify`) or `make run` that a worker has started, or is stopping and what it waits for.
"""

import os
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

HEALTH_FILE = "HEALTH_FILE"
"""Environment variable with the path of the file. It is no field of Settings: the check runs every few seconds in every
container and should import nothing but the standard library."""

NOTIFY_SOCKET = "NOTIFY_SOCKET"
"""Environment variable with the address of a datagram socket, see sd_notify(3)."""

STARTED = "READY=1"
STOPPING = "STOPPING=1"
STATUS = "STATUS="
"""What a process may say of itself; a STATUS ends with a sentence for people."""

PATIENCE = 30.0
"""Seconds without a beat after which the process counts as dead."""


def beat(path: str | None = None) -> None:
    """Record that this process is alive now; do nothing if neither `path` nor HEALTH_FILE names a file.

    The time is that of the monotonic clock: all processes of a machine share it, and no clock change moves it.
    """
    target = path or os.environ.get(HEALTH_FILE)
    if not target:
        return
    draft = Path(f"{target}.{os.getpid()}")
    try:
        draft.write_text(f"{time.monotonic():.3f}\n", encoding="ascii")
        draft.replace(target)  # atomic, so that the check never reads half a number
    except OSError:
        return  # a full disk must not stop a worker; the check notices the missing beats


def notify(*facts: str) -> None:
    """Notify the parent through NOTIFY_SOCKET, if set, that this process is STARTED, STOPPING, or has a new STATUS."""
    address = os.environ.get(NOTIFY_SOCKET)
    if not address:
        return
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notice,
        suppress(OSError),
    ):  # the parent may have stopped waiting
        notice.sendto("\n".join(facts).encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)


def find_problem(path: str | None = None) -> str | None:
    """Return None if the last beat is recent enough, otherwise a sentence that says what is wrong."""
    target = path or os.environ.get(HEALTH_FILE)
    if not target:
        return f"{HEALTH_FILE} is not set, so there is no beat to read."
    try:
        age = time.monotonic() - float(Path(target).read_text(encoding="ascii"))
    except OSError:
        return f"There was no beat yet: {target} can't be read."
    except ValueError:
        return f"{target} holds no time; is it the file that {HEALTH_FILE} names?"
    if not -1 < age < PATIENCE:  # a negative age: the file is older than the last restart of the machine
        return f"The last beat is {age:.0f} s old; {PATIENCE:.0f} s are allowed."
    return None


def main() -> int:
    """Run the check: exit status 0 if the process is alive, otherwise 1 and a sentence on stderr."""
    problem = find_problem()
    if problem:
        sys.stderr.write(f"errand: {problem}\n")
    return 1 if problem else 0


if __name__ == "__main__":
    raise SystemExit(main())
