"""WorkFolders in which children work: one for each, so that what operations leave behind goes when the child goes.

Stands beside `pool.py`. A worker that is killed removes nothing; the next one on this machine does it: a folder whose
lock is free has no owner any more.
"""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from workers.compute.children.hub_io import remove

PREFIX = "errand-children-"


class WorkFolders:
    """A folder of a pool's own, with one in it for each child."""

    def __init__(self) -> None:
        """Make the folder; raise OSError."""
        while True:
            self._root = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock = _lock(self._root)
            if self._lock is not None and self._root.exists():  # nobody took it for abandoned meanwhile
                break

    def make(self) -> Path:
        """Make a folder for a child."""
        return Path(tempfile.mkdtemp(prefix="child-", dir=self._root))

    def sweep(self) -> None:
        """Remove what killed workers left behind."""
        for folder in self._root.parent.glob(f"{PREFIX}*"):
            if (lock := _lock(folder)) is not None:
                remove(folder)
                os.close(lock)

    def close(self) -> None:
        """Remove the folder."""
        remove(self._root)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(folder: Path) -> int | None:
    """Take a folder for this process, until the descriptor is closed; None when it is somebody else's."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
        else:
            return descriptor
    return None
