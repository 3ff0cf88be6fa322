"""Recurring jobs: `PUT`, `GET` and `DELETE /schedules/{name}`, and the list `GET /schedules`.

`errand/schedules.py` computes when a job is due; `workers/rescuer/scheduler.py` starts it then.
"""

import json
import re
from hashlib import sha256
from typing import Final

from flask import Blueprint, request

from api.checks.arguments import checked
from api.checks.recipients import notify_of, refuse_recipients
from api.checks.webhook_url import refuse_webhook
from api.context import here
from api.http.answer import Answer, json_answer
from api.http.body import read_body, refusal
from api.http.specs import documented, json_request
from api.schedules.specs import DELETE_SPEC, GET_SPEC, LIST_SPEC, PUT_SPEC
from errand.errors import ScheduleNameRefused, SchedulesFull, ScheduleUnknown
from errand.presenting.report import moment
from errand.schedules import Rhythm, local
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
@documented(tags=["schedules"], requestBody=json_request(ScheduleRequest, EXAMPLE), **PUT_SPEC)
def store(name: str) -> Answer:
    """Create or replace a schedule

    From now on, the operation runs once at each time of the cron expression in this time zone, however many workers
    there are. Sending the same schedule again changes nothing; if `cron` and `timezone` stay the same, so do its times.
    If times were missed because no worker was running, only the latest of them is made up for.
    """
    if not NAME.fullmatch(name):
        raise ScheduleNameRefused()
    body = read_body(ScheduleRequest)
    errand = here()
    refuse_recipients(body, errand.settings)
    refuse_webhook(body, errand.settings)
    rhythm = Rhythm.of(body.cron, body.timezone)
    operation, arguments = checked(errand.catalogue.find_in_body(body.operation), body.arguments)
    if len(arguments.encode()) > MAX_ARGUMENTS:
        detail = f"must have at most {MAX_ARGUMENTS} bytes as JSON in a schedule"
        raise refusal([Fault(pointer="/arguments", detail=detail)])
    upcoming = rhythm.upcoming(errand.store.now())
    verdict, record = errand.store.put_schedule(name, stored_fields(body, rhythm, operation, arguments), upcoming)
    if verdict == "full":
        raise SchedulesFull()
    return schedule_answer(schedule_json(name, record), 201 if verdict == "created" else 200)


@schedules.get("/schedules")
@documented(tags=["schedules"], **LIST_SPEC)
def overview() -> Answer:
    """List all schedules

    Returns all schedules, sorted by name, each with its next five times.
    """
    rows = (schedule_json(schedule.name, schedule.record).rstrip() for schedule in here().store.schedules())
    return schedule_answer(f'{{"schedules":[{",".join(rows)}]}}\n')


@schedules.get("/schedules/<name>")
@documented(tags=["schedules"], **GET_SPEC)
def look(name: str) -> Answer:
    """Look at a schedule

    Returns the schedule with its next five times and the last job it started. `GET /jobs?tag=schedule:{name}` lists
    all its jobs.
    """
    schedule = here().store.schedule(name) if NAME.fullmatch(name) else None
    if schedule is None:
        raise ScheduleUnknown()
    return schedule_answer(schedule_json(name, schedule.record))


@schedules.delete("/schedules/<name>")
@documented(tags=["schedules"], **DELETE_SPEC)
def delete(name: str) -> Answer:
    """Delete a schedule

    The schedule starts no more jobs. Jobs that it has started continue.
    """
    if not NAME.fullmatch(name) or not here().store.delete_schedule(name):
        raise ScheduleUnknown()
    return Answer(status=204)


def stored_fields(body: ScheduleRequest, rhythm: Rhythm, operation: Operation, arguments: str) -> dict[str, str]:
    """Return a schedule as the store keeps it, text by field; options that the body omits are left out."""
    always = {
        "cron": rhythm.cron,
        "timezone": rhythm.timezone,
        "operation": operation.name,
        "arguments": arguments,
        "queue": operation.queue,
        "priority": body.priority,
        "tags": json.dumps(body.tags),
        "overlap": body.overlap,
    }
    perhaps = {name: getattr(body, name) for name in ("email", "webhook_url", "timeout", "max_attempts", "deadline")}
    perhaps["notify"] = " ".join(notify_of(body)) or None
    return always | {name: str(value) for name, value in perhaps.items() if value is not None}


def schedule_json(name: str, record: dict[str, str]) -> str:
    """Write a schedule as JSON. JSON from the store is inserted unchanged, so that no number loses precision."""
    times: list[int] = json.loads(record["upcoming"])
    members = {
        "name": json.dumps(name),
        **{field: json.dumps(record[field]) for field in ("cron", "timezone", "operation")},
        "arguments": record["arguments"],
        "email": _email(record),
        "webhook_url": json.dumps(record.get("webhook_url")),
        "notify": json.dumps({"on": record["notify"].split()} if "notify" in record else None),
        **{field: record.get(field, "null") for field in ("timeout", "max_attempts", "deadline")},
        "priority": json.dumps(record["priority"]),
        "tags": record["tags"],
        "overlap": json.dumps(record["overlap"]),
        "next": json.dumps([moment(ms) for ms in times]),
        "next_local": json.dumps([local(ms, record["timezone"]) for ms in times]),
        "last_job": _last_job(record),
        "skipped": record.get("skipped", "0"),
        **{field: json.dumps(moment(int(record[field]))) for field in ("created_at", "updated_at")},
        "links": json.dumps({"self": f"/schedules/{name}", "jobs": f"/jobs?tag=schedule:{name}"}),
    }
    return "{" + ",".join(f'"{field}":{text}' for field, text in members.items()) + "}\n"


def schedule_answer(text: str, status: int = 200) -> Answer:
    """Return this JSON, or 304 if the client's ETag still matches."""
    tag = sha256(text.encode()).hexdigest()[:16]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    if request.method == "GET" and request.if_none_match.contains_weak(tag):
        return json_answer("", 304, headers)
    return json_answer(text, status, headers)


def _email(record: dict[str, str]) -> str:
    """Write one address as a string, several as a list."""
    several = record.get("email", "").split()
    return json.dumps(several if len(several) > 1 else record.get("email"))


def _last_job(record: dict[str, str]) -> str:
    if "last_job" not in record:
        return "null"
    path = f"/jobs/{record['last_job']}"
    links = {"self": path, "events": f"{path}/events"}
    return json.dumps({"id": record["last_job"], "tick": moment(int(record["last_tick"])), "links": links})
