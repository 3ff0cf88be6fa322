"""Lists jobs, newest first, page by page; a page begins below a place in the order, so arriving jobs don't move it.

Stands beside the whole life of a job, for `GET /jobs`. Next: `events.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from errand.store.part import Part

MOST_LOOKED_AT = 1000
"""Jobs that are looked at for one page: with several filters a page may be short, and its cursor leads on."""
FIELDS = (
    "operation",
    "status",
    "error",
    "attempt",
    "max_attempts",
    "priority",
    "progress",
    "tags",
    "created_at",
    "run_at",
    "started_at",
    "finished_at",
    "expires_at",
    "deadline",
    "timeout",
)
"""What a row of the list has: all but arguments, result and notifications, which may be large."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: records as text by field (with `id`), and where the next one begins (None: this was the last)."""

    records: list[dict[str, str]]
    next: str | None


class Listing(Part):
    """The readers' side of the store."""

    def page(
        self,
        status: str | None = None,
        operation: str | None = None,
        tag: str | None = None,
        *,
        limit: int = 50,
        cursor: str | None = None,
        fields: Sequence[str] = FIELDS,
    ) -> Page:
        """Give up to `limit` jobs that have all that is asked for, from `cursor` (digits) on."""
        filters = (status or "", operation or "", tag or "", cursor or "")
        following, *rows = self._run("page", *filters, limit, MOST_LOOKED_AT, *fields)
        names = ("id", *fields)
        records = [{name: text for name, text in zip(names, row, strict=True) if text} for row in rows]
        return Page(records, following or None)
