"""Makes the folders of data that no other user of the machine may read: jobs, mails and secrets are in them."""

import os
import stat
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o700


def private_folder(folder: Path) -> Path:
    """Return the folder, made if it is missing, readable by this user only.

    A folder that this user made for others too is closed; one of another user stays as it is. Raises OSError.
    """
    folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != OWNER_ONLY:
        folder.chmod(OWNER_ONLY)
    return folder
