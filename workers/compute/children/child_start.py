"""Starts a child process: its command line, its environment, its channel and its output.

Next: `workers/compute/child/__main__.py`, which runs in it.
"""

import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from schemas.operations import Weight
from workers.compute.children import hub_io
from workers.compute.children.stack_dump import DumpFile

SECRETS = ("AMQP_URI", "REDIS_URL", "SMTP_URL", "WEBHOOK_SECRET")
"""Settings of the worker that no operation may see."""


@dataclass(frozen=True, slots=True)
class ChildConfig:
    """What all children of a pool have in common."""

    weight: Weight
    modules: tuple[str, ...]
    """Dotted names of the modules and packages with operations."""
    max_result_bytes: int
    slots: int
    """How many jobs run at a time, in a child that runs many."""


class StartedChild(NamedTuple):
    """A process that was started, and the worker's ends of what connects them."""

    process: "subprocess.Popen[bytes]"
    channel: int
    """Descriptor of the socket on which both exchange frames; it doesn't block."""
    output: int
    """Descriptor of the pipe with what the child prints; it doesn't block."""
    dump: DumpFile
    """The file for its stack dumps."""


def start_child(config: ChildConfig, folder: Path) -> StartedChild:
    """Start a child that works in `folder`; raise OSError, and then remove the folder."""
    dump = DumpFile()
    ours, theirs = socket.socketpair()
    output, its_output = hub_io.pipe()
    descriptors = {"channel": theirs.fileno(), "dump": dump.descriptor}
    orders = {**asdict(config), **descriptors, "worker": os.getpid(), "folder": str(folder)}
    try:
        process = subprocess.Popen(  # noqa: S603 -- this interpreter and a module of ours
            [sys.executable, "-X", "utf8", "-m", "workers.compute.child", json.dumps(orders)],
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=its_output,
            stderr=its_output,
            pass_fds=list(descriptors.values()),
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        os.close(output)
        dump.close()
        folder.rmdir()
        raise
    finally:
        theirs.close()
        os.close(its_output)
    channel = ours.detach()
    os.set_blocking(channel, False)
    return StartedChild(process, channel, output, dump)


def _environment(folder: Path) -> dict[str, str]:
    # TMPDIR: temporary files of a killed operation are removed with the folder. MALLOC_ARENA_MAX: each further arena
    # takes 64 MB of address space, which would count towards the memory limit.
    own = {"TMPDIR": str(folder), "MALLOC_ARENA_MAX": "1"}
    return {name: value for name, value in os.environ.items() if name not in SECRETS} | own
