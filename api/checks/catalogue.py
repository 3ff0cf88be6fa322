"""What the workers can compute, as they published it: read from the store, remembered for a second.

Stands before step 1 of a job's life. Next: `arguments.py`, which checks what a client sends by it.
"""

import logging
from collections.abc import Mapping
from time import monotonic
from typing import Final

from api.checks.arguments import published
from api.http.body import MOST_CHARACTERS, Path, pointer, refusal
from api.ports import JobStore
from errand.errors import CatalogueEmpty, OperationUnknown
from schemas.problems import Fault

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 1.0
"""How long a reading serves."""
DOUBTFUL_SECONDS: Final = 0.1
"""How old a reading may be to refuse a name by it: a worker may have just announced it."""
MOST_NAMES: Final = 20
"""Known names that a refusal tells."""
MOST_REASON: Final = 500
"""Maximum characters that are logged of the reason why a description can't be read."""


class CachedCatalogue:
    """The published operations, by name. Threads may share it: a reading is replaced, never changed."""

    def __init__(self, store: JobStore) -> None:
        """Read from `store`, at the first use."""
        self._store = store
        self._read: Mapping[str, str] = {}
        self._texts: Mapping[str, str] = {}
        self._read_at = float("-inf")

    def texts(self) -> Mapping[str, str]:
        """Give what was published (JSON text by name); it is never changed."""
        return self._texts_not_older_than(FRESH_SECONDS)

    def find_in_body(self, name: str, at: Path = ("operation",)) -> str:
        """Give what was published under `name`, which stands `at` this place of the body; refuse the job if nothing."""
        text = self._look_up(name)
        if text is None:
            told = f"is not a known operation: {name[:MOST_CHARACTERS]!r}; known are {self._known()}"
            raise refusal([Fault(pointer=pointer(*at), detail=told)])
        return text

    def find(self, name: str) -> str:
        """Give what was published under `name`, which stands in the path; raise OperationUnknown when nothing."""
        text = self._look_up(name)
        if text is None:
            raise OperationUnknown(f"There is no operation of this name; known are {self._known()}.")
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
            if texts != self._read:  # while nothing changes, what is given out stays the same object
                self._texts = {name: text for name, text in texts.items() if _is_readable(name, text)}
                self._read = texts
        return self._texts


def _is_readable(name: str, text: str) -> bool:
    """Tell whether an operation can be offered: not one that a worker of another release describes in another way."""
    try:
        return published(text).operation.name == name
    except (ValueError, RecursionError) as fault:
        told = {"action": "operation_unreadable", "operation": name, "reason": str(fault)[:MOST_REASON]}
        log.warning("An operation's description can't be read: %s", told["reason"], extra=told)
        return False
