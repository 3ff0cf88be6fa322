"""Recurring jobs: `PUT`, `GET` and `DELETE /schedules/{name}`, and the list `GET /schedules`.

`errand/schedules.py` computes when a job is due; `workers/rescuer/scheduler.py` starts it then.
"""

import json
import re
from hashlib import sha256
from typing import Final

from flask import Blueprint, request

from api.checks.arguments import check_arguments
from api.checks.recipients import emails_of, notify_of, refuse_recipients
from api.checks.webhook_url import refuse_webhook
from api.context import current_errand
from api.http.answer import Answer, json_answer
from api.http.body import read_body, refusal
from api.http.preconditions import are_given, check, not_modified, while_unchanged
from api.http.specs import documented, json_request
from api.schedules.specs import DELETE_SPEC, GET_SPEC, LIST_SPEC, PUT_SPEC
from errand.errors import ScheduleNameRefused, SchedulesFull, ScheduleUnknown
from errand.presenting.report import moment
from errand.schedules import CronSchedule, local
from errand.store import ScheduleDefinition, StoredSchedule
from errand.store.schedules import ABSENT, ANY_STATE, Deleted, Stored
from schemas.operations import Operation
from schemas.problems import Fault
from schemas.schedules import NAME_PATTERN, ScheduleRequest

schedules = Blueprint("schedules", __name__)

NAME: Final = re.compile(NAME_PATTERN.removeprefix("^").removesuffix("$"))
MAX_ARGUMENTS: Final = 16_384
"""Maximum bytes of a schedule's arguments as JSON: one answer lists all schedules."""
EXAMPLE: Final = {
    "cron": "30 6 * * MON-FRI",
    "timezone": "Europe/Berlin",
    "operation": "sum",
    "arguments": {"value": 30, "other": 10},
    "email": "name@email.com",
}


@schedules.put("/schedules/<name>")
@documented("putSchedule", tags=["schedules"], requestBody=json_request(ScheduleRequest, EXAMPLE), **PUT_SPEC)
def store(name: str) -> Answer:
    """Create or replace a schedule

    From now on, the operation runs once at each time of the cron expression in this time zone, however many workers
    there are. Sending the same schedule again changes nothing; if `cron` and `timezone` stay the same, so do its times.
    If times were missed because no worker was running, only the latest of them is made up for.
    """
    if not NAME.fullmatch(name):
        raise ScheduleNameRefused()
    body = read_body(ScheduleRequest)
    errand = current_errand()
    refuse_recipients(body, errand.settings)
    refuse_webhook(body, errand.settings)
    cron_schedule = CronSchedule.parse(body.cron, body.timezone)
    operation, arguments = check_arguments(errand.catalogue.find_in_body(body.operation), body.arguments)
    if len(arguments.encode()) > MAX_ARGUMENTS:
        detail = f"must have at most {MAX_ARGUMENTS} bytes as JSON in a schedule"
        raise refusal([Fault(pointer="/arguments", detail=detail)])
    definition = definition_of(body, cron_schedule, operation, arguments)
    upcoming = cron_schedule.upcoming(errand.store.now())

    def put(seen: str) -> tuple[Stored, StoredSchedule | None] | None:
        done = errand.store.put_schedule(name, definition, upcoming, seen=seen)
        return None if done[0] == "changed" else done

    verdict, schedule = while_unchanged(lambda: checked_state(name), put)
    if schedule is None:
        raise SchedulesFull()
    return schedule_answer(schedule_json(schedule), 201 if verdict == "created" else 200)


@schedules.get("/schedules")
@documented("listSchedules", tags=["schedules"], **LIST_SPEC)
def overview() -> Answer:
    """List all schedules

    Returns all schedules, sorted by name, each with its next five times.
    """
    rows = (schedule_json(schedule).rstrip() for schedule in current_errand().store.schedules())
    return schedule_answer(f'{{"schedules":[{",".join(rows)}]}}\n')


@schedules.get("/schedules/<name>")
@documented("getSchedule", tags=["schedules"], **GET_SPEC)
def look(name: str) -> Answer:
    """Look at a schedule

    Returns the schedule with its next five times and the last job it started. `GET /jobs?tag=schedule:{name}` lists
    all its jobs.
    """
    schedule = current_errand().store.schedule(name) if NAME.fullmatch(name) else None
    if schedule is None:
        raise ScheduleUnknown()
    return schedule_answer(schedule_json(schedule))


@schedules.delete("/schedules/<name>")
@documented("deleteSchedule", tags=["schedules"], **DELETE_SPEC)
def delete(name: str) -> Answer:
    """Delete a schedule

    The schedule starts no more jobs. Jobs that it has started continue.
    """
    if not NAME.fullmatch(name):
        raise ScheduleUnknown()

    def remove(seen: str) -> Deleted | None:
        done = current_errand().store.delete_schedule(name, seen)
        return None if done == "changed" else done

    if while_unchanged(lambda: checked_state(name, exists=True), remove) == "unknown":
        raise ScheduleUnknown()
    return Answer(status=204)


def checked_state(name: str, *, exists: bool = False) -> str:
    """Return the state of a schedule for which the request's preconditions hold; raise PreconditionFailed.

    `exists`: raise ScheduleUnknown if there is none, before any precondition counts.
    """
    if not are_given():
        return ANY_STATE
    schedule = current_errand().store.schedule(name)
    if schedule is None and exists:
        raise ScheduleUnknown()
    check(None if schedule is None else etag_of(schedule_json(schedule)))
    return ABSENT if schedule is None else schedule.state


def definition_of(
    body: ScheduleRequest, cron_schedule: CronSchedule, operation: Operation, arguments: str
) -> ScheduleDefinition:
    """Make the definition to store from a checked body."""
    return ScheduleDefinition(
        cron=cron_schedule.cron,
        timezone=cron_schedule.timezone,
        operation=operation.name,
        arguments=arguments,
        queue=operation.queue,
        priority=body.priority,
        tags=tuple(body.tags),
        overlap=body.overlap,
        emails=emails_of(body),
        webhook_url=body.webhook_url,
        timeout=body.timeout,
        max_attempts=body.max_attempts,
        deadline=body.deadline,
        notify=notify_of(body),
    )


def schedule_json(schedule: StoredSchedule) -> str:
    """Write a schedule as JSON. JSON from the store is inserted unchanged, so that no number loses precision."""
    name, definition, upcoming = schedule.name, schedule.definition, schedule.upcoming
    root = request.root_path
    members = {
        "name": json.dumps(name),
        **{field: json.dumps(getattr(definition, field)) for field in ("cron", "timezone", "operation")},
        "arguments": definition.arguments,
        "email": _email(definition.emails),
        "webhook_url": json.dumps(definition.webhook_url),
        "notify": json.dumps({"on": definition.notify} if definition.notify else None),
        **{field: json.dumps(getattr(definition, field)) for field in ("timeout", "max_attempts", "deadline")},
        **{field: json.dumps(getattr(definition, field)) for field in ("priority", "tags", "overlap")},
        "next": json.dumps([moment(ms) for ms in upcoming]),
        "next_local": json.dumps([local(ms, definition.timezone) for ms in upcoming]),
        "last_job": _last_job(schedule),
        "skipped": str(schedule.skipped),
        "created_at": json.dumps(moment(schedule.created_at)),
        "updated_at": json.dumps(moment(schedule.updated_at)),
        "links": json.dumps({"self": f"{root}/schedules/{name}", "jobs": f"{root}/jobs?tag=schedule:{name}"}),
    }
    return "{" + ",".join(f'"{field}":{text}' for field, text in members.items()) + "}\n"


def schedule_answer(text: str, status: int = 200) -> Answer:
    """Return this JSON, or 304 if the client's ETag still matches."""
    tag = etag_of(text)
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    if request.method in {"GET", "HEAD"} and not_modified(tag):
        return json_answer("", 304, headers)
    return json_answer(text, status, headers)


def etag_of(text: str) -> str:
    """Compute the ETag of a representation."""
    return sha256(text.encode()).hexdigest()[:16]


def _email(emails: tuple[str, ...]) -> str:
    """Write one address as a string, several as a list."""
    return json.dumps(emails if len(emails) > 1 else next(iter(emails), None))


def _last_job(schedule: StoredSchedule) -> str:
    if schedule.last_job is None or schedule.last_tick is None:
        return "null"
    path = f"{request.root_path}/jobs/{schedule.last_job}"
    links = {"self": path, "events": f"{path}/events"}
    return json.dumps({"id": schedule.last_job, "tick": moment(schedule.last_tick), "links": links})
