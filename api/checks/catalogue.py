"""The operations that the workers have published: read from the store and cached for a second.

A job names one of them. Next: `arguments.py`, which checks the job's arguments against its schema.
"""

import logging
from collections.abc import Mapping
from time import monotonic
from typing import Final

from api.checks.arguments import published
from api.http.body import MOST_CHARACTERS, pointer, refusal
from api.http.json_text import Path
from api.ports import JobStore
from errand.errors import CatalogueEmpty, OperationUnknown
from schemas.problems import Fault

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 1.0
"""How long the catalogue is cached."""
DOUBTFUL_SECONDS: Final = 0.1
"""Maximum age of a cached catalogue that refuses a name: a worker may have just announced it."""
MOST_NAMES: Final = 20
"""Maximum number of known names that a refusal lists."""
MOST_REASON: Final = 500
"""Maximum characters logged of the reason why a description can't be read."""


class CachedCatalogue:
    """The published operations, by name. Safe to share among threads: the cached mapping is replaced, never changed."""

    def __init__(self, store: JobStore) -> None:
        """Read from `store`; nothing is read before the first use."""
        self._store = store
        self._read: Mapping[str, str] = {}
        self._texts: Mapping[str, str] = {}
        self._read_at = float("-inf")

    def texts(self) -> Mapping[str, str]:
        """Return the published operations (JSON text by name); the mapping never changes."""
        return self._texts_not_older_than(FRESH_SECONDS)

    def find_in_body(self, name: str, at: Path = ("operation",)) -> str:
        """Return the operation (JSON text) of this name; `at` is the name's path in the body. Raises JobRefused."""
        text = self._look_up(name)
        if text is None:
            detail = f"is not a known operation: {name[:MOST_CHARACTERS]!r}; known operations are {self._known()}"
            raise refusal([Fault(pointer=pointer(*at), detail=detail)])
        return text

    def find(self, name: str) -> str:
        """Return the operation (JSON text) of this name. Raises OperationUnknown."""
        text = self._look_up(name)
        if text is None:
            raise OperationUnknown(f"There is no operation with this name; known operations are {self._known()}.")
        return text

    def _look_up(self, name: str) -> str | None:
        texts = self._texts_not_older_than(FRESH_SECONDS)
        if name not in texts:
            texts = self._texts_not_older_than(DOUBTFUL_SECONDS)
        if not texts:
            raise CatalogueEmpty()
        return texts.get(name)

    def _known(self) -> str:
        names = sorted(self._texts)
        return ", ".join(names[:MOST_NAMES]) + (" and more" if len(names) > MOST_NAMES else "")

    def _texts_not_older_than(self, seconds: float) -> Mapping[str, str]:
        if not self._texts or monotonic() - self._read_at > seconds:
            texts, self._read_at = self._store.catalogue(), monotonic()
            if texts != self._read:  # while nothing changes, callers get the same object
                self._texts = {name: text for name, text in texts.items() if _is_readable(name, text)}
                self._read = texts
        return self._texts


def _is_readable(name: str, text: str) -> bool:
    """Return whether this release can read the operation; a worker of another release may describe it differently."""
    try:
        return published(text).operation.name == name
    except (ValueError, RecursionError) as fault:
        fields = {"action": "operation_unreadable", "operation": name, "reason": str(fault)[:MOST_REASON]}
        log.warning("An operation's description can't be read: %s", fields["reason"], extra=fields)
        return False
