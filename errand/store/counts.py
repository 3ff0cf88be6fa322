"""Counts jobs, queues and notifications for the operators, in one round trip. `GET /metrics` shows the counts."""

from dataclasses import dataclass

from errand.store.redis_access.store_part import StorePart, fields_of
from schemas.notifications import Channel
from schemas.status import Status


@dataclass(frozen=True, slots=True)
class QueueCount:
    """The jobs of one priority that wait in one queue; `oldest_ms` is how long the first of them has waited."""

    queue: str
    priority: str
    jobs: int
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What there is now, and totals since the store was created.

    `finished` counts by (operation, status). `busy` has the seconds of the last attempts of an operation's jobs,
    `mean_ms` their moving average.
    """

    jobs: dict[Status, int]
    waiting: list[QueueCount]
    outbox: int
    notifications_due: dict[Channel, int]
    delayed: int
    finished: dict[tuple[str, Status], int]
    busy: dict[str, float]
    mean_ms: dict[str, float]


class CountsPart(StorePart):
    """The part of the store that operators read."""

    def counts(self) -> Counts:
        """Count."""
        statuses = list(Status)
        jobs, flat, outbox, notices, delayed, totals, means, took = self._run("count", *statuses)
        rows = [flat[i : i + 4] for i in range(0, len(flat), 4)]
        finished: dict[tuple[str, Status], int] = {}
        busy = {operation: int(us) / 1e6 for operation, us in fields_of(took).items()}
        for name, count in fields_of(totals).items():
            operation, _, what = name.rpartition(" ")
            if what == "ms":  # counted by releases before this one, in whole milliseconds
                busy[operation] = busy.get(operation, 0.0) + int(count) / 1000
            else:
                finished[operation, Status(what)] = int(count)
        return Counts(
            jobs=dict(zip(statuses, jobs, strict=True)),
            waiting=[QueueCount(queue, priority, int(count), int(ms)) for queue, priority, count, ms in rows],
            outbox=outbox,
            notifications_due=dict(zip(Channel, notices, strict=True)),
            delayed=delayed,
            finished=finished,
            busy=busy,
            mean_ms={operation: float(ms) for operation, ms in fields_of(means).items()},
        )
