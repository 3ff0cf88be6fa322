"""Lists jobs in the order of their creation, page by page; a page begins at a place in it: arriving jobs don't move it.

Stands beside the whole life of a job, for `GET /jobs` and for those who run many again. Next: `events.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from errand.record import JobRecord
from errand.store.base import StorePart

MOST_LOOKED_AT = 1000
"""Jobs that are looked at for one page: with several filters a page may be short, and its cursor leads on."""
MOST_BYTES = 4 * 2**20
"""A page ends behind the job with which it has as many: one job's arguments may be a megabyte."""
REQUIRED = ("operation", "status", "created_at", "max_attempts")
"""Fields that every record of a page has, whatever else is asked for."""
LISTED = (
    "error",
    "attempt",
    "priority",
    "progress",
    "tags",
    "run_at",
    "started_at",
    "finished_at",
    "expires_at",
    "deadline",
    "timeout",
    "origin",
)
"""What a row of the list has beside these: all but arguments, result and notifications, which may be large."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its jobs, and where the next page begins (None: this is the last).

    Its records have the fields that were asked for, and the defaults of JobRecord in place of all others.
    """

    records: list[JobRecord]
    next: str | None


class ListingPart(StorePart):
    """The readers' side of the store."""

    def page(
        self,
        status: str | None = None,
        operation: str | None = None,
        tag: str | None = None,
        *,
        limit: int = 50,
        cursor: str | None = None,
        fields: Sequence[str] = LISTED,
    ) -> Page:
        """Give up to `limit` jobs that have all that is asked for, the newest first, from `cursor` (digits) on."""
        bounds = ("newest", f"({cursor}" if cursor else "+inf", "-inf")
        return self._page((status, operation, tag), bounds, limit, fields)

    def page_of_oldest(
        self,
        status: str | None = None,
        operation: str | None = None,
        tag: str | None = None,
        *,
        upto: int,
        after: int = 0,
        limit: int = 50,
        fields: Sequence[str] = LISTED,
    ) -> Page:
        """Give up to `limit` of them, the oldest first, from behind the place `after` up to the place `upto`."""
        return self._page((status, operation, tag), ("oldest", f"({after}", str(upto)), limit, fields)

    def newest_place(self) -> int:
        """Give the place of the newest job there is; all that come later stand behind it. 0: there is none."""
        with self._asking():
            rows = cast(list[tuple[str, float]], self._client.zrange(self._keys.jobs, -1, -1, withscores=True))
        return int(rows[0][1]) if rows else 0

    def _page(
        self, filters: tuple[str | None, ...], bounds: tuple[str, str, str], limit: int, fields: Sequence[str]
    ) -> Page:
        asked = (each or "" for each in filters)
        names = (*REQUIRED, *fields)
        following, *rows = self._run("list_jobs", *asked, *bounds, limit, MOST_LOOKED_AT, MOST_BYTES, *names)
        return Page([_record(names, row) for row in rows], following or None)


def _record(names: Sequence[str], row: Sequence[str]) -> JobRecord:
    job_id, *texts = row
    return JobRecord.read(job_id, {name: text for name, text in zip(names, texts, strict=True) if text})
