"""Pipes, sockets and processes on eventlet's hub: reads, writes and waits that block one greenthread only.

The descriptors are non-blocking. The system calls are the unpatched ones, so that reading what has arrived never
waits.
"""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import eventlet
from eventlet.hubs import notify_close, trampoline
from eventlet.patcher import original

_os = original("os")

CHUNK = 1 << 18
"""Bytes to read at a time."""
LARGE_READ = 1 << 15
"""A read of so many bytes is followed by a pause of PAUSE_SECONDS: at most 25 MB/s are read."""
PAUSE_SECONDS = 0.01


def pipe() -> tuple[int, int]:
    """Make a pipe; return the end to read, which doesn't block, and the end to write."""
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    if set_size := getattr(fcntl, "F_SETPIPE_SZ", None):
        with suppress(OSError):  # the user has too many large pipes already
            fcntl.fcntl(ours, set_size, CHUNK)
    return ours, theirs


def read(descriptor: int) -> bytes:
    """Wait for data and return it; empty if the other side has closed."""
    while True:
        try:
            data: bytes = _os.read(descriptor, CHUNK)
        except BlockingIOError:
            trampoline(descriptor, read=True)
        except OSError:
            return b""
        else:
            return data


def available(descriptor: int) -> Iterator[bytes]:
    """Yield what can be read without waiting."""
    with suppress(OSError):  # no more data, or the other side has gone
        for _ in range(64):  # the other side may write without end
            if not (data := _os.read(descriptor, CHUNK)):
                return
            yield data


def write(descriptor: int, data: bytes) -> None:
    """Write all of the data, at the pace of the reader; raise OSError if that has gone."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[_os.write(descriptor, rest) :]
        except BlockingIOError:
            trampoline(descriptor, write=True)


def close(descriptor: int) -> None:
    """Close a descriptor; a greenthread that waits to write to it gets an OSError."""
    notify_close(descriptor)
    os.close(descriptor)


def wait_for_end(process: "subprocess.Popen[bytes]") -> None:
    """Wait until a process has ended, without reaping it: its process id stays taken."""
    try:
        handle = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or an old kernel
        while process.poll() is None:
            eventlet.sleep(0.1)
    else:
        trampoline(handle, read=True)
        os.close(handle)


def remove_folder(folder: Path) -> None:
    """Remove a folder with everything in it, yielding to other greenthreads after each subfolder."""
    for path, folders, files in os.walk(folder, topdown=False):
        for name in files:
            with suppress(OSError):
                os.unlink(os.path.join(path, name))  # noqa: PTH108, PTH118 -- there may be very many
        for name in folders:
            inner = os.path.join(path, name)  # noqa: PTH118 -- as above
            with suppress(OSError):
                os.unlink(inner) if os.path.islink(inner) else os.rmdir(inner)  # noqa: PTH106, PTH108, PTH114 -- as above
        eventlet.sleep(0)
    with suppress(OSError):
        folder.rmdir()
