"""The processes of a pool: finds a child for a job, starts one when it must, removes their folders at the end.

Next: `child_process.py`.
"""

import eventlet
from eventlet.semaphore import Semaphore

from schemas.operations import Weight
from workers.compute.children.child_process import ChildProcess
from workers.compute.children.child_start import ChildConfig
from workers.compute.children.work_folders import WorkFolders

GRACE = 0.5
"""Seconds to wait for the end of a child that was killed."""


class ChildSupply:
    """The child processes of one pool."""

    def __init__(self, config: ChildConfig) -> None:
        """Start no child before one is needed."""
        self._config = config
        self._many = config.weight is Weight.IO
        self._choosing = Semaphore()
        self._folders: WorkFolders | None = None
        self.children: set[ChildProcess] = set()
        """Those that live."""

    def ready(self) -> ChildProcess | None:
        """Return a child that can take one more job at once, if there is one and it runs many at a time."""
        if not self._many:
            return None
        return next((child for child in self.children if child.usable and child.ready.ready()), None)

    def choose(self) -> ChildProcess:
        """Return a child that takes a job, a new one if need be; raise OSError if none can be started."""
        with self._choosing:  # starting one yields to other greenthreads, and each would start its own
            for child in self.children:
                if child.usable and (self._many or not child.jobs):
                    return child
            if self._folders is None:
                self._folders = WorkFolders()
                eventlet.spawn_n(self._folders.sweep)
            child = ChildProcess(self._config, self._folders.make(), self.children.discard)
            self.children.add(child)
            return child

    def close(self) -> None:
        """Kill all children and remove their folders."""
        children = list(self.children)
        for child in children:
            child.kill()
        for child in children:
            child.ended.wait(GRACE)
        if self._folders:
            self._folders.close()
