"""Notifications in the store: what is due is claimed, then settled, at least once and marked once.

Stands behind step 6 of a job's life; `workers/mail.py` is its reader.
"""

from dataclasses import dataclass

from errand.store.part import Part, record_of
from schemas.notices import NoticeKind, NoticeState

LETTER_KEPT_MS = 86_400_000
"""How long a mail that belongs to no job is kept after it was settled (ms)."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One attempt to tell somebody. `record` is the job's (or letter's) hash as text; `since` is in ms."""

    kind: NoticeKind
    id: str
    attempt: int
    since: int
    record: dict[str, str]


class Notices(Part):
    """The notifications' side of the store."""

    def post(self, letter_id: str, to: str, subject: str, body: str) -> None:
        """Record a mail that belongs to no job; it is due at once."""
        self._run("post", letter_id, to, subject, body)

    def collect(self, most: int, lease_seconds: float) -> list[Notice]:
        """Claim up to `most` notifications that are due; unsettled ones are due again after `lease_seconds`."""
        rows = self._run("collect", int(lease_seconds * 1000), most)
        return [
            Notice(NoticeKind(kind), id_, int(attempt), int(since), record_of(fields) | {"id": id_})
            for kind, id_, attempt, since, fields in rows
        ]

    def settle(self, notice: Notice, state: NoticeState, error: str = "", retry_after: float = 0.0) -> bool:
        """Write down how the attempt ended; PENDING means again in `retry_after` seconds. False: overtaken."""
        tail = (state.value, error[:500], int(retry_after * 1000), LETTER_KEPT_MS)
        return bool(self._run("settle", notice.kind.value, notice.id, notice.attempt, *tail))
