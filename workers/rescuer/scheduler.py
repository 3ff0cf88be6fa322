"""Fires due schedules: starts one job for each tick, however many instances run, and moves the schedule on.

The rescuer calls it in each round. The store's clock decides what is due, and one script starts the job and moves the
schedule to its next time. Next: `errand/store/schedules.py`.
"""

import logging

from errand.errors import ScheduleRefused
from errand.schedules import CronSchedule, scheduled_job_id
from errand.settings import Settings
from errand.store import NewJob, Store, StoredSchedule
from schemas.operations import Operation

log = logging.getLogger(__name__)


def fire_due_schedules(store: Store, settings: Settings) -> list[tuple[str, str]]:
    """Start a job for each due schedule; return (job id, queue) of each, for its doorbell.

    Of several missed ticks only the latest is run. Raises StoreUnavailable.
    """
    now, names = store.due_schedules()
    if not names:
        return []
    catalogue = store.catalogue()
    started = (_fire(store, settings, catalogue, now, name) for name in names)
    return [(job.id, job.queue) for job in started if job]


def _fire(store: Store, settings: Settings, catalogue: dict[str, str], now: int, name: str) -> NewJob | None:
    seen = store.schedule(name)
    if seen is None or float(seen.next) > now:  # another instance was faster
        return None
    try:
        cron_schedule = CronSchedule.parse(seen.definition.cron, seen.definition.timezone)
    except ScheduleRefused as refusal:  # the API that accepted it knows more time zones
        log.error("Schedule %s: %s", name, refusal.fields, extra={"action": "schedule_unreadable"})
        return None
    tick = cron_schedule.latest(int(float(seen.next)), now)
    job = job_of_tick(seen, tick, catalogue.get(seen.definition.operation), settings)
    answer = store.tick(seen, cron_schedule.upcoming(now), tick, job)
    log.info("Schedule %s: %s", name, answer, extra={"action": f"schedule_{answer}", "job_id": job.id})
    return job if answer == "started" else None


def job_of_tick(schedule: StoredSchedule, tick: int, published: str | None, settings: Settings) -> NewJob:
    """Return the job of a tick, with the operation's `published` queue and limits, or else those of the schedule."""
    wanted = schedule.definition
    operation = Operation.model_validate_json(published) if published else None
    limit = operation.limits.max_attempts if operation else None
    return NewJob(
        id=scheduled_job_id(schedule.name, tick),
        operation=wanted.operation,
        arguments=wanted.arguments,
        emails=wanted.emails,
        webhook_url=wanted.webhook_url,
        notify=wanted.notify,
        queue=operation.queue if operation else wanted.queue,
        max_attempts=wanted.max_attempts or limit or settings.max_attempts,
        priority=wanted.priority,
        deadline_ms=None if wanted.deadline is None else tick + int(wanted.deadline * 1000),
        timeout=wanted.timeout,
        tags=tuple(dict.fromkeys([*wanted.tags, f"schedule:{schedule.name}"])),
        timezone=None if wanted.timezone == "UTC" else wanted.timezone,
    )
