"""Watches the processes of `make run` from a thread: says when all are ready, and what a stop waits for.

`run.py` starts the thread.
"""

import os
import signal
from time import monotonic, sleep

from errand.embedded.console import is_closed, say
from errand.embedded.process_group import ProcessGroup
from errand.embedded.valkey import Valkey
from errand.embedded.worker_notices import WorkerNotices

POLL_SECONDS = 0.1
"""Between two looks."""
NO_STORE_SECONDS = 5.0
"""How long a stop may take without the store, to which the workers can't hand anything back."""
AGAIN_SECONDS = 0.5
"""Between two interrupts of a process that is to end at once."""
QUIET_SECONDS = 2.0
"""How long a stop may take before `make run` says what it waits for, if the workers haven't said it."""


def watch_run(processes: ProcessGroup, valkey: Valkey | None) -> None:
    """Return once the processes are being stopped; stop them if the embedded Valkey or the terminal has gone."""
    outlives_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # `nohup`
    while not processes.stopping:
        if valkey and valkey.process and valkey.process.poll() is not None:
            processes.first_stopped, processes.stops_in = "valkey", NO_STORE_SECONDS
            os.kill(os.getpid(), signal.SIGTERM)
            return
        if not outlives_terminal and is_closed():
            os.kill(os.getpid(), signal.SIGTERM)
            return
        sleep(POLL_SECONDS)


def watch_stop(processes: ProcessGroup, workers: WorkerNotices) -> None:
    """Say what the stop waits for, and that it is cut short; kill processes that take too long. Returns at its end."""
    silent_until = monotonic() + QUIET_SECONDS
    while processes.running and not processes.at_once:
        if status := workers.new_status():
            silent_until = float("inf")
        elif monotonic() > silent_until:
            status, silent_until = f"waiting for {', '.join(processes.running)} to stop", float("inf")
        if status:
            say(f"{status}; Ctrl-C again ends at once")
        processes.kill()
        sleep(POLL_SECONDS)
    if processes.running:
        say("ending at once; running jobs are handed back")
    while processes.running:
        sleep(AGAIN_SECONDS)
        processes.kill()
        processes.interrupt()  # again: a process may have got the first one before the signal to stop
