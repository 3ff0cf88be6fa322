"""Reads the stream of events: statuses, progress and log lines of all jobs.

The scripts write it. One thread of each API process reads it: `api/feed/broadcaster.py`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import redis

from errand.store.redis_access.store_part import StorePart
from schemas.status import Status

SLACK_SECONDS = 5.0
"""Seconds that Redis may take to answer beyond the time for which it was asked to wait."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its number in the stream, the job's id, its kind (`status`, `progress` or `log`), JSON text."""

    number: str
    id: str
    kind: str
    data: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job's state, and the range of events that the store keeps, at one moment.

    `first` and `latest` are the numbers of the oldest and the latest event: None and `0-0` when there are none.
    `status` is None when there is no such job; `progress` is JSON text.
    """

    first: str | None
    latest: str
    status: Status | None
    attempt: int
    progress: str | None


class EventsPart(StorePart):
    """The part of the store that has events."""

    def snapshot(self, job_id: str) -> Snapshot:
        """Return the job's state and the numbers of the events at the same moment: `latest` is the last one in it."""
        first, latest, status, attempt, progress = self._run("get_snapshot", job_id)
        found = Status(status) if status else None
        return Snapshot(first or None, latest or "0-0", found, int(attempt), progress or None)

    def last_event(self) -> str:
        """Return the number of the latest event, `0-0` if there was none."""
        with self._asking():
            rows = cast(list[Any], self._client.xrevrange(self._keys.events, count=1))
        return str(rows[0][0]) if rows else "0-0"

    def first_event(self) -> str | None:
        """Return the number of the oldest event that is still kept, or None."""
        with self._asking():
            rows = cast(list[Any], self._client.xrange(self._keys.events, count=1))
        return str(rows[0][0]) if rows else None

    def events_after(self, last: str, block_ms: int, most: int) -> list[Event]:
        """Wait up to `block_ms` for events after `last`; return up to `most` of them."""
        with self._asking():
            answer = cast(Any, self._patient.xread({self._keys.events: last}, count=most, block=block_ms))
        streams = answer.values() if isinstance(answer, dict) else [rows for _, rows in answer or ()]
        return [_event(row) for rows in streams for row in rows]

    def events_between(self, after: str, upto: str, most: int) -> list[Event]:
        """Return up to `most` events after `after`, up to and including `upto`."""
        with self._asking():
            rows = cast(list[Any], self._client.xrange(self._keys.events, f"({after}", upto, count=most))
        return [_event(row) for row in rows]

    @cached_property
    def _patient(self) -> redis.Redis:
        """A client with a timeout longer than any wait for events."""
        pool = self._client.connection_pool
        options = {**pool.connection_kwargs, "socket_timeout": 60.0 + SLACK_SECONDS}
        return redis.Redis(connection_pool=redis.ConnectionPool(pool.connection_class, max_connections=4, **options))


def _event(row: tuple[str, dict[str, str]]) -> Event:
    number, fields = row
    return Event(number, fields["id"], fields["event"], fields["data"])
