"""`python -m errand.attempts ID`: prints a job's attempts, with the tracebacks that clients don't get to see.

It reads the store that REDIS_URL and KEY_PREFIX name, so it works while API and workers are down.
"""

import sys

from errand.errors import StoreUnavailable
from errand.job_error import read_error
from errand.presenting import safe_text
from errand.presenting.attempts import Attempt, attempts_of
from errand.presenting.report import moment
from errand.record import JobRecord
from errand.settings import Settings
from errand.store import Store
from schemas.jobs import ID, canonical_id

USAGE = "usage: python -m errand.attempts ID    (the id of a job; GET /jobs?status=failed lists failed jobs)"
LONGEST_LINE = 2500
"""Maximum characters shown of an error, which is on one line."""


def main(arguments: list[str]) -> int:
    """Print the attempts; return 1 if there is no such job or no store, 2 if the id is not one."""
    job_id = canonical_id(arguments[0]) if len(arguments) == 1 else ""
    if not ID.fullmatch(job_id):
        sys.stderr.write(f"{USAGE}\n")
        return 2
    store = Store.connect(Settings.load_or_exit())
    try:
        record, tracebacks = store.get(job_id), store.tracebacks(job_id)
    except StoreUnavailable:
        sys.stderr.write("errand: the store can't be reached; start it, or set REDIS_URL.\n")
        return 1
    if record is None:
        sys.stderr.write(f"errand: there is no job {job_id}; it may have expired, or KEY_PREFIX is another one.\n")
        return 1
    sys.stdout.write(written(record, tracebacks))
    return 0


def written(record: JobRecord, tracebacks: dict[int, str]) -> str:
    """Write the attempts as text for a terminal: nothing in it can control the terminal."""
    name = safe_text.one_line(record.operation, safe_text.MAX_VALUE)
    head = f"{record.id} ({name}): {record.status}, attempt {record.attempt} of at most {record.max_attempts}\n"
    parts = [head, *(_attempt(each, tracebacks.get(each.number, "")) for each in attempts_of(record))]
    return "\n".join(parts)


def _attempt(attempt: Attempt, traceback: str) -> str:
    times = [f"{word} {moment(ms)}" for word, ms in (("from", attempt.started_at), ("to", attempt.ended_at)) if ms]
    lines = [
        " ".join([f"{attempt.number}. {attempt.outcome.replace('_', ' ')}", *times, f"on {attempt.worker or '?'}"])
    ]
    if attempt.error:
        lines.append(safe_text.one_line(read_error(attempt.error).line, LONGEST_LINE))
    lines += safe_text.clean(traceback).rstrip().splitlines()
    return "\n   ".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
