"""Runs many jobs again (`POST /jobs/retry`), and makes replays: new jobs with other arguments than their origin's.

`errand/store/listing.py` finds the jobs; `submit.py` accepts a replay like any other job.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, request
from pydantic_core import from_json
from uuid_utils import uuid7

from api.checks import idempotency
from api.checks.arguments import check_arguments
from api.context import Errand, current_errand, job_record
from api.http.answer import Answer, json_answer
from api.http.body import pointer, read_optional_body, refusal
from api.http.preconditions import check
from api.http.problems import problem_body
from api.http.query import ParameterCheck, checked_parameters, one_of, up_to
from api.http.specs import documented
from api.jobs.batch import MOST_FAULTS_PER_JOB
from api.jobs.listing import PARAMETERS
from api.jobs.replay_specs import NARROWING, PLACES_PATTERN, RETRY_ALL_SPEC, RETRYABLE, UNBOUNDED
from api.jobs.show import etag_of
from api.jobs.submit import REPLAYED, accept, rung
from errand.errors import JobRefused, MoveRefused, OperationUnknown, ParameterRefused
from errand.record import JobRecord
from errand.store import AcceptResult, NewJob
from schemas.problems import Fault
from schemas.replays import MOST_RETRIED, ReplayRequest
from schemas.requests import MAX_BODY_BYTES
from schemas.status import FINAL

replays = Blueprint("replays", __name__)

STEP: Final = 250
"""Jobs that are read or run again in one round trip to the store, which does nothing else meanwhile."""
MOST_STEPS: Final = 10
"""Maximum number of round trips in search of jobs; the next request continues the search."""
MOST_BYTES: Final = 4 * 2**20
"""A request also stops after so many bytes of arguments, because each replay has a copy of its own."""
COPIED: Final = (
    "arguments",
    "email",
    "notify",
    "webhook_url",
    "timeout",
    "priority",
    "tags",
    "timezone",
    "origin",
    "key",
    "attempts_before",
)
"""Fields that a replay is made from, besides those that every record has."""
NOT_ENDED: Final = "The job's status is `%s`; it can be replayed with other arguments once it has ended."

CHECKS: Final[dict[str, ParameterCheck]] = {
    "status": one_of(RETRYABLE),
    **{name: PARAMETERS[name] for name in NARROWING},
    "limit": up_to(MOST_RETRIED),
    "cursor": (re.compile(PLACES_PATTERN.strip("^$")).fullmatch, "must be the `next` of the previous answer"),
}


@replays.post("/jobs/retry")
@documented("retryJobs", tags=["jobs"], **RETRY_ALL_SPEC)
def retry_all() -> Answer:
    """Run many jobs again

    Runs failed (or cancelled) jobs again: all jobs with this `operation`, this `tag`, or both, the oldest first, up to
    `limit`. Jobs that are accepted later are left out. If more jobs are left, `next` is the `cursor` of the request
    that continues; no job is run twice, even if it fails again at once. With `arguments`, the jobs stay as they are and
    each gets a replay: a new job with the sent arguments replacing its origin's. A job that has a replay counts as
    handled, and later requests leave it out. Under one `Idempotency-Key`, a repeated request returns the same replays.
    """
    filters = checked_parameters(CHECKS)
    if not filters.keys() & set(NARROWING):
        raise ParameterRefused(UNBOUNDED, parameter="operation")
    body, errand, key = read_optional_body(ReplayRequest), current_errand(), idempotency.sent_key()
    limit = int(filters.pop("limit", MOST_RETRIED))
    if body.arguments is None:
        records, following = matching_jobs(errand, filters, limit, (), unhandled=True)
        return replay_answer(run_again(errand, [record.id for record in records]), [], following)
    limit = min(limit, MOST_BYTES // len(request.get_data()))
    # a request that is repeated under its key has to find the jobs that it replayed
    records, following = matching_jobs(errand, filters, limit, COPIED, unhandled=key is None)
    rows = [replay_or_problem(errand, record, body, key) for record in records if not is_replay_under(key, record)]
    verdicts = store_replays(errand, [row for row in rows if isinstance(row, NewJob)])
    rejected = [row for row in rows if isinstance(row, str)]
    again = bool(verdicts) and all(verdict.kind == "replayed" for verdict in verdicts)
    return replay_answer([verdict.id for verdict in verdicts], rejected, following, REPLAYED if again else None)


def replay(job_id: str, body: ReplayRequest, edits: dict[str, Any]) -> Answer:
    """Accept a replay of one job with these arguments replaced. Raises MoveRefused while the job has not ended."""
    errand, record = current_errand(), job_record(job_id)
    check(etag_of(record))  # of the very record that is copied
    if record.status not in FINAL:
        raise MoveRefused(NOT_ENDED % record.status)
    return accept(errand, replay_of(errand, record, edits), body)


def store_replays(errand: Errand, jobs: Sequence[NewJob]) -> list[AcceptResult]:
    """Store replays of many jobs; return those of jobs that nobody else has replayed or run again meanwhile."""
    verdicts = rung(errand, jobs, errand.store.accept_replays(jobs) if jobs else [])
    return [verdict for verdict in verdicts if verdict.kind != "handled"]


def matching_jobs(
    errand: Errand, filters: dict[str, str], limit: int, fields: Sequence[str], *, unhandled: bool
) -> tuple[list[JobRecord], str | None]:
    """Return the jobs that match `filters`, the oldest first, and the cursor of the next request (None: no more jobs).

    A cursor holds two positions: where to continue, and the newest job when the first request came. Jobs that were
    accepted since then are left out; otherwise, replays that fail at once would be replayed again without end.
    """
    filters = {"status": RETRYABLE[0], **filters}
    cursor = filters.pop("cursor", "")
    after, upto = map(int, cursor.split("-")) if cursor else (0, errand.store.newest_place())
    records: list[JobRecord] = []
    for _ in range(MOST_STEPS):
        most = min(STEP, limit - len(records))
        page = errand.store.page_of_oldest(
            **filters, after=after, upto=upto, limit=most, fields=fields, unhandled=unhandled
        )
        records += page.records
        if page.next is None:
            return records, None
        after = int(page.next)
        if len(records) == limit or sum(len(record.arguments or "") for record in records) >= MOST_BYTES:
            break
    return records, f"{after}-{upto}"


def run_again(errand: Errand, ids: Sequence[str]) -> list[str]:
    """Run jobs again and ring their doorbells; return the ids, without jobs that were retried or replayed meanwhile."""
    done: list[str] = []
    for start in range(0, len(ids), STEP):
        step = ids[start : start + STEP]
        for job_id, control in zip(step, errand.store.retry_these(step, unhandled=True), strict=True):
            if control.reply == "done":
                errand.relay.ring(job_id, control.queue)
                done.append(job_id)
    return done


def replay_or_problem(errand: Errand, record: JobRecord, body: ReplayRequest, key: str | None) -> NewJob | str:
    """Make a replay of one of many jobs, or the JSON text of its problem. Raises CatalogueEmpty."""
    try:
        job = replay_of(errand, record, body.arguments or {})
    except (JobRefused, OperationUnknown) as refused:
        if "errors" in refused.fields:
            refused.fields["errors"] = refused.fields["errors"][:MOST_FAULTS_PER_JOB]
        return json.dumps({"id": record.id, "error": problem_body(refused)})
    if key is None:
        return job
    fingerprint = idempotency.fingerprint(idempotency.canonical_request(job, body))
    return replace(job, key=f"{_key_prefix(key)}{job.origin}", fingerprint=fingerprint)


def is_replay_under(key: str | None, record: JobRecord) -> bool:
    """Return whether the job is a replay that an earlier request with this key has made."""
    return key is not None and (record.key or "").startswith(_key_prefix(key))


def replay_of(errand: Errand, origin: JobRecord, edits: dict[str, Any]) -> NewJob:
    """Make a replay of `origin` with these arguments replaced.

    Raises JobRefused if the merged arguments are invalid, OperationUnknown if no worker announces the operation now.
    """
    published = errand.catalogue.find(origin.operation)
    operation, arguments = check_arguments(published, from_json(origin.arguments or "{}") | edits)
    if len(arguments.encode()) > MAX_BODY_BYTES:
        detail = f"must have at most {MAX_BODY_BYTES} bytes as JSON, together with the arguments that are kept"
        raise refusal([Fault(pointer=pointer("arguments"), detail=detail)])
    inherited = [tag for tag in origin.tags if tag != origin_tag(origin.origin or "")]
    return NewJob(
        str(uuid7()),
        operation.name,
        arguments,
        origin.emails,
        operation.queue,
        origin.max_attempts - origin.attempts_before,
        origin.priority,
        timeout=origin.timeout,
        tags=tuple(dict.fromkeys([*inherited, origin_tag(origin.id)])),
        webhook_url=origin.webhook_url,
        origin=origin.id,
        notify=origin.notify,
        timezone=origin.timezone,
    )


def origin_tag(origin: str) -> str:
    """Return the tag that lists the replays of a job."""
    return f"origin:{origin}"


def replay_answer(
    ids: Sequence[str], rejected: Sequence[str], following: str | None, headers: dict[str, str] | None = None
) -> Answer:
    """Return the answer for many jobs: those that run again or were replayed, and the problems of the others."""
    rows, cursor = ",".join(f'"{job_id}"' for job_id in ids), json.dumps(following)
    counts = f'"retried":{len(ids)},"jobs":[{rows}]'
    return json_answer(f'{{{counts},"rejected":[{",".join(rejected)}],"next":{cursor}}}\n', 202, headers)


def _key_prefix(key: str) -> str:
    """Return the prefix of the keys of all replays made with this key; a client's key has no space."""
    return f"{key} of "
