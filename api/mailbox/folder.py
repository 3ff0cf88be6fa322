"""Knows which mails a Maildir folder has, the newest first, without opening any of them.

Stands behind `views.py`. A look costs two calls of the system while nothing changes, and one reading of the folders'
names when something has. Next: `contents.py`, which opens one.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from threading import Lock
from time import time_ns
from typing import Final

from errand.errors import MailUnknown

FOLDERS: Final = ("new", "cur")
"""Of a Maildir: mails nobody has looked at, and those somebody has."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""Of a file; what comes after is left out. The mail catcher takes no mail of more than a third of that."""
SETTLED_NS: Final = 2_000_000_000
"""A folder that changed less than so long ago is read again: the clock of files ticks some hundred times a second."""


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail as a file: its id is made of the file's name, and no path is ever made of an id."""

    id: str
    path: Path
    arrived_ns: int
    """Nanoseconds since 1970."""
    size: int

    def read(self) -> bytes:
        """Give its bytes; raise MailUnknown when it is gone."""
        try:
            with self.path.open("rb") as file:
                return file.read(MOST_BYTES)
        except OSError:
            raise MailUnknown() from None


@dataclass(frozen=True, slots=True)
class MailListing:
    """All mails of one look, the newest first."""

    mails: tuple[StoredMail, ...] = ()
    places: dict[str, int] = field(default_factory=dict)
    """By id."""

    def find(self, mail_id: str) -> StoredMail:
        """Give a mail; raise MailUnknown."""
        return self.mails[self._place(mail_id)]

    def page(self, limit: int, after: str | None = None) -> list[StoredMail]:
        """Give the newest mails, or those that come after the one with this id; raise MailUnknown."""
        first = 0 if after is None else self._place(after) + 1
        return list(islice(self.mails, first, first + limit))

    def _place(self, mail_id: str) -> int:
        if mail_id not in self.places:
            raise MailUnknown()
        return self.places[mail_id]


class MailFolder:
    """A Maildir folder. One that isn't there (yet) has no mails."""

    def __init__(self, path: Path) -> None:
        """Show what is in `path`; nothing is read yet."""
        self._folders = tuple(path / name for name in FOLDERS)
        self._lock = Lock()
        self._stamps: tuple[int, ...] = ()
        self._known: dict[str, StoredMail] = {}
        self._listing = MailListing()

    def listing(self) -> MailListing:
        """Give the mails that are there now."""
        with self._lock:
            stamps = tuple(map(_changed_ns, self._folders))
            # noted before the reading: what changes meanwhile is seen at the next look
            if stamps != self._stamps or time_ns() - max(stamps) < SETTLED_NS:
                self._stamps = stamps
                self._read_names()
            return self._listing

    def clear(self) -> None:
        """Remove all mails that are there now; what arrives meanwhile stays."""
        for mail in self.listing().mails:
            mail.path.unlink(missing_ok=True)

    def _read_names(self) -> None:
        found = {}
        for folder in self._folders:
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    # one that moved from `new` to `cur` while we read is met twice, or not until the next look
                    if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                        with suppress(FileNotFoundError):
                            found[entry.path] = self._known.get(entry.path) or _stored_mail(entry)
        if found.keys() != self._known.keys():
            self._known = found
            mails = tuple(sorted({mail.id: mail for mail in found.values()}.values(), key=_sort_key, reverse=True))
            self._listing = MailListing(mails, {mail.id: place for place, mail in enumerate(mails)})


@cache
def folder_at(path: str) -> MailFolder:
    """Give the folder of a path, always the same one: it knows what it has seen."""
    return MailFolder(Path(path))


def _stored_mail(entry: os.DirEntry[str]) -> StoredMail:
    status = entry.stat(follow_symlinks=False)
    # what follows the colon are flags, which change when a mail reader has shown it
    name = os.fsencode(entry.name.partition(":")[0])
    return StoredMail(blake2b(name, digest_size=10).hexdigest(), Path(entry.path), status.st_mtime_ns, status.st_size)


def _sort_key(mail: StoredMail) -> tuple[int, list[int]]:
    """Give what mails are sorted by; of those of the same moment, the numbers in their names."""
    return mail.arrived_ns, [int(number) for number in re.findall(r"[0-9]{1,18}", mail.path.name)]


def _changed_ns(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
