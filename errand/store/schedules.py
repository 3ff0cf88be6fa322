"""SchedulesPart in the store: what is to run again and again, and when next. A tick is one step for all instances.

Stands before step 1 of the jobs that nobody posts; `workers/rescuer/scheduler.py` lets schedules tick.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from errand.store.base import StorePart, record_of
from errand.store.jobs import NewJob, arguments_of

MOST_SCHEDULES: Final = 1000
"""How many schedules are kept."""
NEVER: Final = "+inf"
"""Stands for the next time of a schedule that has none any more."""

Stored = Literal["created", "replaced", "kept", "full"]
Ticked = Literal["started", "skipped", "again", "late"]


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """A schedule as it stands: `record` is text by field; its next time as Redis writes it, in ms."""

    name: str
    next: str
    record: dict[str, str]

    @property
    def version(self) -> str:
        """What names its definition."""
        return self.record["version"]


class SchedulesPart(StorePart):
    """The schedules' side of the store."""

    def now(self) -> int:
        """Tell the store's time, by which everything is due (ms)."""
        return int(self._run("schedule_due", 0)[0])

    def put_schedule(
        self, name: str, fields: Mapping[str, str], upcoming: Sequence[int], most: int = MOST_SCHEDULES
    ) -> tuple[Stored, dict[str, str]]:
        """Store a schedule with its definition and the times to come; give what became of it, and its record.

        The next time of one whose `cron` and `timezone` stay as they were is left alone.
        """
        rhythm = f"{fields['cron']} {fields['timezone']}"
        version = sha256(json.dumps(sorted(fields.items())).encode()).hexdigest()[:16]
        flat = [text for pair in fields.items() for text in pair]
        answer, *record = self._run("schedule_put", name, version, rhythm, most, *_times(upcoming), *flat)
        return answer, record_of(record)

    def schedule(self, name: str) -> StoredSchedule | None:
        """Give a schedule, or None."""
        rows = self._run("schedules", name)
        return _schedule(rows[0]) if rows else None

    def schedules(self) -> list[StoredSchedule]:
        """Give all schedules, by name."""
        return sorted(map(_schedule, self._run("schedules", "")), key=lambda schedule: schedule.name)

    def delete_schedule(self, name: str) -> bool:
        """Forget a schedule; its jobs go on. False: there was none."""
        return bool(self._run("schedule_delete", name))

    def due_schedules(self, most: int = MOST_SCHEDULES) -> tuple[int, list[str]]:
        """Give the store's time (ms) and the names of the schedules whose next time has come."""
        now, *rows = self._run("schedule_due", most)
        return int(now), rows[::2]

    def tick(self, seen: StoredSchedule, upcoming: Sequence[int], tick: int, job: NewJob) -> Ticked:
        """Start `job` for a tick and go on to the next time, in one step, if the schedule still is as it was seen."""
        head = (self._mail, seen.name, seen.version, seen.next, *_times(upcoming), tick)
        answer: Ticked = self._run("schedule_tick", *head, *arguments_of(job))
        return answer


def _times(upcoming: Sequence[int]) -> tuple[str, str]:
    return str(upcoming[0]) if upcoming else NEVER, json.dumps(upcoming, separators=(",", ":"))


def _schedule(row: tuple[str, str, list[str]]) -> StoredSchedule:
    name, next_, fields = row
    return StoredSchedule(name, next_, record_of(fields))
