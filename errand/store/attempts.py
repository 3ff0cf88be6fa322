"""Reads what only operators may see of a job's attempts: where its operation failed.

`scripts/commit.lua` writes it. `errand/attempts.py` prints it.
"""

from typing import Final, cast

from errand.store.redis_access.store_part import StorePart

MOST_TRACEBACK_BYTES: Final = 16_384
"""Bytes of a traceback that are kept: its end, which names the error."""


class AttemptsPart(StorePart):
    """The part of the store that has tracebacks."""

    def tracebacks(self, job_id: str) -> dict[int, str]:
        """Return the tracebacks of the latest attempts that failed with one, by the attempt's number, in order."""
        with self._asking():
            rows = cast(dict[str, str], self._client.hgetall(self._keys.tracebacks(job_id)))
        return dict(sorted((int(number), text) for number, text in rows.items()))


def shortened(traceback: str) -> str:
    """Return as much of the end of a traceback as is kept."""
    if len(traceback) * 4 <= MOST_TRACEBACK_BYTES:
        return traceback
    return traceback.encode("utf-8", "replace")[-MOST_TRACEBACK_BYTES:].decode("utf-8", "ignore")
