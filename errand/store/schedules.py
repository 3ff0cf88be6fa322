"""Stores schedules and their next times. A tick starts the job and moves the schedule on in one step.

`workers/rescuer/scheduler.py` lets schedules tick. Next: `scripts/schedule_tick.lua`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal, Self

from errand.store.jobs import NewJob, arguments_of
from errand.store.redis_access.store_part import StorePart, fields_of
from schemas.notifications import Occasion
from schemas.priority import Priority
from schemas.schedules import Overlap

MOST_SCHEDULES: Final = 1000
"""Maximum number of schedules."""
NEVER: Final = "+inf"
"""The next time of a schedule that has no more times."""

ANY_STATE: Final = ""
"""Stands for the state of a schedule that may be any."""
ABSENT: Final = "absent"
"""Stands for the state of a schedule that doesn't exist."""

Stored = Literal["created", "replaced", "kept", "full", "changed"]
Deleted = Literal["deleted", "unknown", "changed"]
Ticked = Literal["started", "skipped", "again", "late"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDefinition:
    """What a schedule runs, and when. `arguments` is JSON text; `timeout` and `deadline` are in seconds.

    Options that are None (or an empty `notify`) take their default when a job is started.
    """

    cron: str
    timezone: str
    operation: str
    arguments: str
    queue: str
    priority: Priority
    tags: tuple[str, ...]
    overlap: Overlap
    emails: tuple[str, ...] = ()
    webhook_url: str | None = None
    timeout: float | None = None
    max_attempts: int | None = None
    deadline: float | None = None
    notify: tuple[Occasion, ...] = ()

    def fields(self) -> dict[str, str]:
        """Write it as Redis keeps it: text by field."""
        perhaps = {
            "email": " ".join(self.emails) or None,
            "webhook_url": self.webhook_url,
            "timeout": self.timeout,
            "max_attempts": self.max_attempts,
            "deadline": self.deadline,
            "notify": " ".join(self.notify) or None,
        }
        return {
            "cron": self.cron,
            "timezone": self.timezone,
            "operation": self.operation,
            "arguments": self.arguments,
            "queue": self.queue,
            "priority": self.priority,
            "tags": json.dumps(self.tags),
            "overlap": self.overlap,
            **{name: str(value) for name, value in perhaps.items() if value is not None},
        }

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> Self:
        """Make a definition of what Redis has of a schedule, text by field."""
        get = fields.get
        return cls(
            cron=fields["cron"],
            timezone=fields["timezone"],
            operation=fields["operation"],
            arguments=fields["arguments"],
            queue=fields["queue"],
            priority=fields["priority"],  # type: ignore[arg-type]  # only those names were let in
            tags=tuple(json.loads(fields["tags"])),
            overlap=fields["overlap"],  # type: ignore[arg-type]  # as above
            emails=tuple(get("email", "").split()),
            webhook_url=get("webhook_url"),
            timeout=float(text) if (text := get("timeout")) else None,
            max_attempts=int(text) if (text := get("max_attempts")) else None,
            deadline=float(text) if (text := get("deadline")) else None,
            notify=tuple(get("notify", "").split()),  # type: ignore[arg-type]  # as above
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSchedule:
    """A schedule as it stands: its definition, and how far it has come. Moments are in ms.

    `version` names its definition. `next` is its next time as Redis writes it, by which a tick is compared; `upcoming`
    are the times to come. `last_job` was started for `last_tick`.
    """

    name: str
    next: str
    version: str
    definition: ScheduleDefinition
    upcoming: tuple[int, ...]
    created_at: int
    updated_at: int
    skipped: int
    last_job: str | None
    last_tick: int | None

    @property
    def state(self) -> str:
        """Everything about it that changes, as the scripts write it (`shared/schedule_state.lua`)."""
        return f"{self.version} {self.updated_at} {self.next} {self.last_tick or ''} {self.skipped}"


class SchedulesPart(StorePart):
    """The part of the store that has schedules."""

    def now(self) -> int:
        """Return the store's time (ms), which decides when anything is due."""
        return int(self._run("due_schedules", 0)[0])

    def put_schedule(
        self,
        name: str,
        definition: ScheduleDefinition,
        upcoming: Sequence[int],
        most: int = MOST_SCHEDULES,
        seen: str = ANY_STATE,
    ) -> tuple[Stored, StoredSchedule | None]:
        """Store a schedule with the times to come; return what became of it, and the schedule.

        The next time of one whose `cron` and `timezone` stay as they were is left alone. There is no schedule to return
        if they are full, or if the one of this name hasn't the state `seen` (`changed`).
        """
        fields = definition.fields()
        rhythm = f"{definition.cron} {definition.timezone}"
        version = sha256(json.dumps(sorted(fields.items())).encode()).hexdigest()[:16]
        flat = [text for pair in fields.items() for text in pair]
        answer, *rows = self._run("schedule_put", name, version, rhythm, most, *_times(upcoming), seen, *flat)
        return answer, _schedule(rows[0]) if rows else None

    def schedule(self, name: str) -> StoredSchedule | None:
        """Return a schedule, or None."""
        rows = self._run("get_schedules", name)
        return _schedule(rows[0]) if rows else None

    def schedules(self) -> list[StoredSchedule]:
        """Return all schedules, sorted by name."""
        return sorted(map(_schedule, self._run("get_schedules", "")), key=lambda schedule: schedule.name)

    def delete_schedule(self, name: str, seen: str = ANY_STATE) -> Deleted:
        """Delete a schedule if it has the state `seen`; its jobs go on."""
        answer: Deleted = self._run("schedule_delete", name, seen)
        return answer

    def due_schedules(self, most: int = MOST_SCHEDULES) -> tuple[int, list[str]]:
        """Return the store's time (ms) and the names of the schedules whose next time has come."""
        now, *rows = self._run("due_schedules", most)
        return int(now), rows[::2]

    def tick(self, seen: StoredSchedule, upcoming: Sequence[int], tick: int, job: NewJob) -> Ticked:
        """Start `job` for a tick and move on to the next time, in one step, if the schedule is still as `seen`."""
        head = (self._mail, seen.name, seen.version, seen.next, *_times(upcoming), tick)
        answer: Ticked = self._run("schedule_tick", *head, *arguments_of(job))
        return answer


def _times(upcoming: Sequence[int]) -> tuple[str, str]:
    return str(upcoming[0]) if upcoming else NEVER, json.dumps(upcoming, separators=(",", ":"))


def _schedule(row: tuple[str, str, list[str]]) -> StoredSchedule:
    name, next_, flat = row
    fields = fields_of(flat)
    last_tick = fields.get("last_tick")
    return StoredSchedule(
        name=name,
        next=next_,
        version=fields["version"],
        definition=ScheduleDefinition.read(fields),
        upcoming=tuple(json.loads(fields["upcoming"])),
        created_at=int(fields["created_at"]),
        updated_at=int(fields["updated_at"]),
        skipped=int(fields.get("skipped", 0)),
        last_job=fields.get("last_job"),
        last_tick=int(last_tick) if last_tick else None,
    )
