"""Lists jobs page by page, in the order of their creation, so that arriving jobs don't move a page.

`GET /jobs` and the requests that run many jobs again use it. Next: `scripts/list_jobs.lua`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from errand.record import JobRecord
from errand.store.redis_access.store_part import StorePart

MOST_LOOKED_AT = 1000
"""Maximum number of jobs to look at for one page: with several filters a page may be short, yet not the last."""
MOST_BYTES = 4 * 2**20
"""Bytes after which a page ends: one job's arguments may have a megabyte."""
REQUIRED = ("operation", "status", "created_at", "max_attempts")
"""Fields that every record of a page has."""
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
    "replays",
)
"""Further fields of a row of the list: all except arguments, result and notifications, which may be large."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its jobs, and where the next page begins (None: this is the last).

    Its records have the fields that were asked for, and the defaults of JobRecord in place of all others.
    """

    records: list[JobRecord]
    next: str | None


class ListingPart(StorePart):
    """The part of the store that lists jobs."""

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
        """Return up to `limit` jobs that match all filters, the newest first, from `cursor` (digits) on."""
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
        unhandled: bool = False,
    ) -> Page:
        """Return up to `limit` of them, the oldest first, after the place `after` and up to the place `upto`.

        `unhandled`: without those that have been replayed.
        """
        bounds = ("oldest", f"({after}", str(upto))
        return self._page((status, operation, tag), bounds, limit, fields, unhandled=unhandled)

    def newest_place(self) -> int:
        """Return the place of the newest job, or 0; all jobs that come later get a higher one."""
        with self._asking():
            rows = cast(list[tuple[str, float]], self._client.zrange(self._keys.jobs, -1, -1, withscores=True))
        return int(rows[0][1]) if rows else 0

    def _page(
        self,
        filters: tuple[str | None, ...],
        bounds: tuple[str, str, str],
        limit: int,
        fields: Sequence[str],
        *,
        unhandled: bool = False,
    ) -> Page:
        asked = (each or "" for each in filters)
        names = (*REQUIRED, *fields)
        most = (limit, MOST_LOOKED_AT, MOST_BYTES)
        following, *rows = self._run("list_jobs", *asked, *bounds, *most, "unhandled" if unhandled else "", *names)
        return Page([_record(names, row) for row in rows], following or None)


def _record(names: Sequence[str], row: Sequence[str]) -> JobRecord:
    job_id, *texts = row
    return JobRecord.read(job_id, {name: text for name, text in zip(names, texts, strict=True) if text})
