"""What the workers can compute, as they published it: read from the store, remembered for a second.

Stands before step 1 of a job's life. Next: `arguments.py`, which checks what a client sends by it.
"""

from time import monotonic
from typing import Final

from api.bodies import MOST_CHARACTERS, refusal
from api.ports import JobStore
from errand.errors import CatalogueEmpty
from schemas.problems import Fault

FRESH_SECONDS: Final = 1.0
"""How long a reading serves."""
DOUBTFUL_SECONDS: Final = 0.1
"""How old a reading may be to refuse a name by it: a worker may have just announced it."""


class Catalogue:
    """The published operations, by name. Threads may share it: a reading is replaced, never changed."""

    def __init__(self, store: JobStore) -> None:
        """Read from `store`, at the first use."""
        self._store = store
        self._texts: dict[str, str] = {}
        self._read_at = float("-inf")

    def find(self, name: str) -> str:
        """Give what was published under `name` (JSON text); refuse the job when that is nothing."""
        texts = self._texts_not_older_than(FRESH_SECONDS)
        if name not in texts:
            texts = self._texts_not_older_than(DOUBTFUL_SECONDS)
        if not texts:
            raise CatalogueEmpty()
        if name not in texts:
            known = ", ".join(sorted(texts))
            told = f"is not a known operation: {name[:MOST_CHARACTERS]!r}; known are {known}"
            raise refusal([Fault(pointer="/operation", detail=told)])
        return texts[name]

    def _texts_not_older_than(self, seconds: float) -> dict[str, str]:
        if not self._texts or monotonic() - self._read_at > seconds:
            texts, self._read_at = self._store.catalogue(), monotonic()
            self._texts = texts
        return self._texts
