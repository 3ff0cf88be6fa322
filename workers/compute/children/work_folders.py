"""Working folders, one for each child: files that operations leave behind are removed with the child.

A killed worker removes nothing. The next worker on this machine does it for every folder whose lock is free.
"""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from workers.compute.children.hub_io import remove_folder

PREFIX = "errand-children-"


class WorkFolders:
    """A folder for one pool, with a folder in it for each child."""

    def __init__(self) -> None:
        """Make the folder; raise OSError."""
        while True:
            self._root = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock = _lock(self._root)
            if self._lock is not None and self._root.exists():  # no sweep took it for abandoned meanwhile
                break

    def make(self) -> Path:
        """Make a folder for a child."""
        return Path(tempfile.mkdtemp(prefix="child-", dir=self._root))

    def sweep(self) -> None:
        """Remove the folders of killed workers."""
        for folder in self._root.parent.glob(f"{PREFIX}*"):
            if (lock := _lock(folder)) is not None:
                remove_folder(folder)
                os.close(lock)

    def close(self) -> None:
        """Remove the folder."""
        remove_folder(self._root)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(folder: Path) -> int | None:
    """Lock a folder for this process, until the descriptor is closed; None if another process has it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
        else:
            return descriptor
    return None
