"""Setup and checks shared by the tests of the HTTP contract."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from signal import SIGTERM
from typing import Any, Final

import requests

from errand.process.waiting import until
from tests.support.processes import command_of, descendants
from tests.support.stack import Stack

NUMBERS: Final = {"value": 30, "other": 10}
SUM: Final = {"operation": "sum", "arguments": NUMBERS}

REFUSED: Final = "urn:errand:job-refused"
MEMBERS: Final = {"type", "title", "status", "detail"}


@contextmanager
def a_busy_slot(stack: Stack) -> Iterator[str]:
    """Occupy the only slot for CPU-bound jobs with one job, for the duration of a `with`."""
    job_id = stack.submit("dawdle")
    until(lambda: stack.get(f"/jobs/{job_id}").json()["status"] == "running", 20, "the slot is taken")
    try:
        yield job_id
    finally:
        stack.post(f"/jobs/{job_id}/cancel")
        stack.finished(job_id)


def burning(stack: Stack, **fields: Any) -> tuple[str, int]:
    """Start a job that burns a processor and ignores signals; return its id and its process."""
    job_id = stack.submit("burn", **fields)
    until(lambda: "burning" in stack.get(f"/jobs/{job_id}/log").text, 20, "it burns")
    assert stack.workers.process is not None
    # a worker may have other children of this weight; only this one ignores SIGTERM
    [child] = [
        pid for pid in descendants(stack.workers.process.pid) if '"weight": "cpu"' in command_of(pid) if deaf(pid)
    ]
    return job_id, child


def deaf(pid: int) -> bool:
    """Return whether a process ignores SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return bool(int(status.partition("SigIgn:")[2].split()[0], 16) >> (SIGTERM - 1) & 1)


def problem(answer: requests.Response, status: int, kind: str = "about:blank") -> dict[str, Any]:
    """Check that the answer is a problem (RFC 9457) of this HTTP status and type, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() >= MEMBERS
    assert (body["status"], body["type"]) == (status, kind)
    assert body["detail"].endswith("."), body["detail"]
    return body


def pointers(problem: dict[str, Any]) -> list[str]:
    """List the places of the body that a problem names."""
    return [fault["pointer"] for fault in problem["errors"]]


def instant(text: str) -> datetime:
    """Parse a time in a response."""
    return datetime.fromisoformat(text)
