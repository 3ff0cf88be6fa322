"""What the API document can't say, told to schemathesis: each request passes here before it is sent.

Only what the document allows and the API rightly refuses is put right; all else is sent as it was made up.
"""

import json
import os
import re
from itertools import count
from random import Random
from typing import Any, Final
from uuid import uuid4

import schemathesis
from pydantic import ValidationError

from api.checks.idempotency import KEY_PATTERN
from api.checks.options import refuse_contradictory_times
from errand.errors import JobRefused
from errand.schedules import cron_fault
from errand.zones import timezone_fault
from schemas.address import EMAIL_PATTERN, MAX_LENGTH, as_address
from schemas.moments import ZONE_PATTERN
from schemas.requests import JobRequest, OperationRequest
from schemas.schedules import CRON_PATTERN, MAX_CRON
from schemas.webhooks import WEBHOOK_PATTERN

ZONES: Final = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
FIELDS: Final = ((0, 59), (0, 23), (1, 28), (1, 12), (0, 7))
"""What the five fields of a cron expression may hold; the 28th is in every month."""

numbers = count(1)
accepted: list[str] = []
"""The ids of the jobs there are; few of them were deleted again."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Put the request right."""
    put_headers_right(case)
    ask_for_real_jobs(case)
    say_which_jobs(case)
    follow_real_links(case)
    if not isinstance(case.body, dict):
        return
    case.body = with_real_addresses(case.body)
    case.body = with_a_public_webhook(case.body)
    case.body = with_real_times(case.body)
    if case.operation.path == "/operations/{name}":
        case.body = with_its_arguments(case.body, case)
    if case.operation.path.endswith("/retry"):
        case.body = with_the_arguments_there_were(case.body)
    if case.operation.path == "/jobs":
        case.body = without_contradiction(case.body, JobRequest)
    if case.operation.path.startswith("/operations/"):
        case.body = without_contradiction(case.body, OperationRequest)


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Remember the job that was accepted."""
    if response.status_code == 202 and (job_id := response.json().get("id")):
        accepted.append(job_id)


def ask_for_real_jobs(case: schemathesis.Case) -> None:
    """Ask every other time for one of the jobs, as random ids are never theirs; the stateful phase has its own."""
    if not accepted or "job_id" not in case.path_parameters or case.meta.phase.name.value == "stateful":
        return
    if is_meant_well(case) and next(numbers) % 2:
        case.path_parameters["job_id"] = accepted[next(numbers) % len(accepted)]


def follow_real_links(case: schemathesis.Case) -> None:
    """Follow links that we wrote: nobody can make one up, which is what they are for."""
    if "token" in case.path_parameters and is_meant_well(case):
        purpose = case.operation.path.split("/")[1]
        case.path_parameters["token"] = json.loads(os.environ["FUZZED_LINKS"])[purpose]


def say_which_jobs(case: schemathesis.Case) -> None:
    """Name an operation where many jobs are to run again: OpenAPI can't ask for one of two parameters."""
    if case.operation.path == "/jobs/retry" and is_meant_well(case) and not case.query.keys() & {"operation", "tag"}:
        case.query["operation"] = "sum"


def with_the_arguments_there_were(body: dict[str, Any]) -> dict[str, Any]:
    """Replay a job with none of its arguments replaced: which there are is its operation's to say."""
    return body | {"arguments": {}} if isinstance(body.get("arguments"), dict) else body


def put_headers_right(case: schemathesis.Case) -> None:
    """Send no Idempotency-Key twice, under which any other body is refused, a real Last-Event-ID and If-Match.

    schemathesis makes up no headers with a hyphen in its coverage phase, and sends 0 where it means to send a valid id.
    """
    if re.fullmatch(KEY_PATTERN, str(case.headers.get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = str(uuid4())
    if "Last-Event-ID" in case.headers and is_meant_well(case):
        case.headers["Last-Event-ID"] = f"{next(numbers)}-0"
    if "If-Match" in case.headers and is_meant_well(case):
        case.headers["If-Match"] = "*"


def with_its_arguments(body: dict[str, Any], case: schemathesis.Case) -> dict[str, Any]:
    """Send what the operation in the path takes: the document tells that at the operation's own path, not at this one.

    Names without such a path are left to this one, and answered with 404.
    """
    own = case.operation.schema.raw_schema["paths"].get(f"/operations/{case.path_parameters['name']}")
    if own is None or not isinstance(body.get("arguments", {}), dict):
        return body
    return body | own["post"]["requestBody"]["content"]["application/json"]["example"]


def without_contradiction(body: dict[str, Any], model: type[OperationRequest]) -> dict[str, Any]:
    """Leave a deadline out that is before the job may start: OpenAPI can't compare two fields."""
    try:
        refuse_contradictory_times(model.model_validate(body))
    except ValidationError:
        return body
    except JobRefused:
        return {name: value for name, value in body.items() if name != "deadline"}
    return body


def with_real_addresses(body: dict[str, Any]) -> dict[str, Any]:
    """Name no e-mail address that only looks like one, and none twice: the pattern in the document can't tell.

    It counts nothing before the @, doesn't know which letters a host name may have, and takes `A` for another than `a`.
    """
    email = body.get("email")
    if isinstance(email, str):
        return body | {"email": real_address(email, 0)}
    if not isinstance(email, list):
        return body
    real = [real_address(each, number) for number, each in enumerate(email)]
    lower = [str(each).lower() for each in real]
    again = [
        number for number, each in enumerate(lower) if each in lower[:number] and real[number] not in real[:number]
    ]
    return body | {"email": [f"name{n}@example.com" if n in again else each for n, each in enumerate(real)]}


def real_address(address: Any, number: int) -> Any:
    """Give another one for an address that is right by the document alone."""
    if not isinstance(address, str) or len(address) > MAX_LENGTH or not re.search(EMAIL_PATTERN, address):
        return address
    try:
        as_address(address)
    except ValueError:
        return f"name{number}@example.com"
    return address


def with_a_public_webhook(body: dict[str, Any]) -> dict[str, Any]:
    """Name no webhook by a number that is no public address: the pattern in the document can't tell them apart."""
    url = body.get("webhook_url")
    if not isinstance(url, str) or not re.search(WEBHOOK_PATTERN, url):
        return body
    return body | {"webhook_url": re.sub(r"^(https?://)[0-9.]+(?=[:/?]|$)", r"\1example.com", url)}


def with_real_times(body: dict[str, Any]) -> dict[str, Any]:
    """Make a real cron expression and a real zone of texts that only look like one: no pattern could tell them."""
    real = dict(body)
    cron, zone = body.get("cron"), body.get("timezone")
    if isinstance(cron, str) and len(cron) <= MAX_CRON and re.search(CRON_PATTERN, cron) and cron_fault(cron):
        real["cron"] = expression(Random(cron))
    if isinstance(zone, str) and re.search(ZONE_PATTERN, zone) and timezone_fault(zone):
        real["timezone"] = Random(zone).choice(ZONES)
    return real


def is_meant_well(case: schemathesis.Case) -> bool:
    """Tell whether the request is to be right in all its parts."""
    return case.meta.generation.mode.is_positive


def expression(random: Random) -> str:
    """Make up a cron expression."""
    return " ".join(field(random, *bounds) for bounds in FIELDS)


def field(random: Random, least: int, most: int) -> str:
    """Make up one of its fields."""
    first, last = sorted(random.choices(range(least, most + 1), k=2))
    return random.choice(["*", f"*/{last or 1}", f"{first}", f"{last},{first}", f"{first}-{last}", f"{first}-{last}/2"])
