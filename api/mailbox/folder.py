"""Lists the mails of a Maildir folder, the newest first, without opening them.

A listing costs two system calls while nothing changes, and one scan of the directories after a change.
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
"""Directories of a Maildir: of unseen and of seen mails."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""Maximum bytes read of a file; the rest is left out. The mail catcher accepts mails up to a third of that."""
SETTLED_NS: Final = 2_000_000_000
"""A directory that changed less than this ago is scanned again: timestamps of files are only some 10 ms fine."""


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail as a file. Its id is a hash of the file's name; no path is ever made from an id."""

    id: str
    path: Path
    arrived_ns: int
    """Nanoseconds since 1970."""
    size: int

    def read(self) -> bytes:
        """Return the mail's bytes. Raises MailUnknown if it is gone."""
        try:
            with self.path.open("rb") as file:
                return file.read(MOST_BYTES)
        except OSError:
            raise MailUnknown() from None


@dataclass(frozen=True, slots=True)
class MailListing:
    """All mails at one time, the newest first."""

    mails: tuple[StoredMail, ...] = ()
    places: dict[str, int] = field(default_factory=dict)
    """Index in `mails` by id."""

    def find(self, mail_id: str) -> StoredMail:
        """Return a mail by its id. Raises MailUnknown."""
        return self.mails[self._place(mail_id)]

    def page(self, limit: int, after: str | None = None) -> list[StoredMail]:
        """Return the newest mails, or those that follow the mail with this id. Raises MailUnknown."""
        first = 0 if after is None else self._place(after) + 1
        return list(islice(self.mails, first, first + limit))

    def _place(self, mail_id: str) -> int:
        if mail_id not in self.places:
            raise MailUnknown()
        return self.places[mail_id]


class MailFolder:
    """A Maildir folder; one that does not exist (yet) has no mails."""

    def __init__(self, path: Path) -> None:
        """List the mails in `path`; nothing is read yet."""
        self._folders = tuple(path / name for name in FOLDERS)
        self._lock = Lock()
        self._stamps: tuple[int, ...] = ()
        self._known: dict[str, StoredMail] = {}
        self._listing = MailListing()

    def listing(self) -> MailListing:
        """Return the mails that are there now."""
        with self._lock:
            stamps = tuple(map(_changed_ns, self._folders))
            # noted before the scan, so that a change during the scan shows in the next listing
            if stamps != self._stamps or time_ns() - max(stamps) < SETTLED_NS:
                self._stamps = stamps
                self._read_names()
            return self._listing

    def clear(self) -> None:
        """Delete all mails that are there now; mails that arrive meanwhile stay."""
        for mail in self.listing().mails:
            mail.path.unlink(missing_ok=True)

    def _read_names(self) -> None:
        found = {}
        for folder in self._folders:
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    # a mail that moves from `new` to `cur` meanwhile is met twice, or only in the next listing
                    if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                        with suppress(FileNotFoundError):
                            found[entry.path] = self._known.get(entry.path) or _stored_mail(entry)
        if found.keys() != self._known.keys():
            self._known = found
            mails = tuple(sorted({mail.id: mail for mail in found.values()}.values(), key=_sort_key, reverse=True))
            self._listing = MailListing(mails, {mail.id: place for place, mail in enumerate(mails)})


@cache
def folder_at(path: str) -> MailFolder:
    """Return the folder of a path, always the same object, because it caches its listing."""
    return MailFolder(Path(path))


def _stored_mail(entry: os.DirEntry[str]) -> StoredMail:
    status = entry.stat(follow_symlinks=False)
    # flags follow the colon; they change when a mail reader has shown the mail
    name = os.fsencode(entry.name.partition(":")[0])
    return StoredMail(blake2b(name, digest_size=10).hexdigest(), Path(entry.path), status.st_mtime_ns, status.st_size)


def _sort_key(mail: StoredMail) -> tuple[int, list[int]]:
    """Sort by time of arrival, and mails of the same time by the numbers in their names."""
    return mail.arrived_ns, [int(number) for number in re.findall(r"[0-9]{1,18}", mail.path.name)]


def _changed_ns(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
