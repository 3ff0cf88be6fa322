"""One job as the store has it: the typed row that the API and the workers read.

Parts of the store (`store/jobs.py`, `store/listing.py`, `store/notifications.py`) make it of what Redis answers, by
`JobRecord.read`: no other code parses a job's fields. Next: `presenting/report.py`, which writes it for clients.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from pydantic_core import from_json

from schemas.notifications import Occasion
from schemas.priority import Priority
from schemas.status import Status

NOTE: Final = "note:"
"""What the name of a field begins with that holds the state of one notification."""

_STATUSES: Final = {status.value: status for status in Status}


class JobRecord(NamedTuple):
    """One job, as it stood when Redis answered. Moments are ms since 1970 in UTC; `timeout` is in seconds.

    `arguments`, `result`, `error`, `progress` and `notes` are JSON text, and not parsed here: a report passes them
    through as they are, so that every number keeps all its digits. They are None where the job has none yet, and where
    they were not asked for (rows of a page) or are too long to be sent (`omitted` names those).

    `notes` has the state of each notification by `channel:name`, such as `mail:receipt`. `position` (from 0) and
    `wait_ms` (how long until the job is expected to end) are only worked out for one job at a time. `key` is the
    Idempotency-Key; `retries` counts how often a client had the job run again, and `attempts_before` the attempts made
    before it last did. `attempts` has a line of JSON for each attempt that ended (`presenting/attempts.py` reads it). A
    named tuple, as it takes a third of the time of a frozen dataclass to make: one page of a list has hundreds.
    """

    id: str
    operation: str
    status: Status
    created_at: int
    max_attempts: int
    attempt: int = 0
    fence: int = 0
    retries: int = 0
    attempts_before: int = 0
    queue: str = ""
    priority: Priority = "normal"
    timeout: float | None = None
    tags: tuple[str, ...] = ()
    origin: str | None = None
    replays: tuple[str, ...] = ()
    key: str | None = None
    schedule: str | None = None
    timezone: str | None = None
    emails: tuple[str, ...] = ()
    webhook_url: str | None = None
    notify: tuple[Occasion, ...] = ()
    run_at: int | None = None
    deadline: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    expires_at: int | None = None
    worker: str | None = None
    position: int | None = None
    wait_ms: int | None = None
    arguments: str | None = None
    result: str | None = None
    error: str | None = None
    progress: str | None = None
    attempts: tuple[str, ...] = ()
    notes: Mapping[str, str] = {}
    omitted: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Which run of the job this is, and how far it has come, as the scripts write it (`shared/job_state.lua`)."""
        return f"{self.status.value} {self.fence} {self.retries}"

    @classmethod
    def read(
        cls, job_id: str, fields: Mapping[str, str], position: int | None = None, wait_ms: int | None = None
    ) -> Self:
        """Make a record of what Redis has of a job, text by field, with the two figures that the store works out."""
        get = fields.get
        return cls(
            job_id,
            operation=get("operation", ""),
            status=_STATUSES[fields["status"]],
            created_at=int(fields["created_at"]),
            max_attempts=int(fields["max_attempts"]),
            attempt=int(get("attempt", 0)),
            fence=int(get("fence", 0)),
            retries=int(get("retries", 0)),
            attempts_before=int(get("attempts_before", 0)),
            queue=get("queue", ""),
            priority=get("priority", "normal"),  # type: ignore[arg-type]  # only those names were let in
            timeout=float(text) if (text := get("timeout")) else None,
            tags=tuple(from_json(text)) if (text := get("tags")) else (),
            origin=get("origin"),
            replays=tuple(text.split()) if (text := get("replays")) else (),
            key=get("key"),
            schedule=get("schedule"),
            timezone=get("timezone"),
            emails=tuple(text.split()) if (text := get("email")) else (),
            webhook_url=get("webhook_url"),
            notify=tuple(text.split()) if (text := get("notify")) else (),  # type: ignore[arg-type]  # as above
            run_at=int(text) if (text := get("run_at")) else None,
            deadline=int(text) if (text := get("deadline")) else None,
            started_at=int(text) if (text := get("started_at")) else None,
            finished_at=int(text) if (text := get("finished_at")) else None,
            expires_at=int(text) if (text := get("expires_at")) else None,
            worker=get("worker"),
            position=position,
            wait_ms=wait_ms,
            arguments=get("arguments"),
            result=get("result"),
            error=get("error"),
            progress=get("progress"),
            attempts=tuple(text.split("\n")) if (text := get("attempts")) else (),
            notes={name[len(NOTE) :]: text for name, text in fields.items() if name[:5] == NOTE},
            omitted=tuple(from_json(text)) if (text := get("omitted")) else (),
        )
