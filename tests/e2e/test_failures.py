"""A failing operation, end to end: who reads which words about it (decision 29)."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from errand.process.waiting import until
from tests.support.processes import ROOT
from tests.support.stack import Stack, running

OPERATIONS = '''
import time

from errand.errors import PublicError
from workers.operations.registry import operation


class TooWide(PublicError):
    """The text has too many columns."""


@operation()
def total(rows: list[dict[str, int]]) -> int:
    """Add the amounts."""
    return sum(row["amount"] for row in rows)


@operation(tiny=True)
def tiny_total(row: dict[str, int]) -> int:
    """Give the amount."""
    return row["amount"]


@operation()
def width(text: str) -> int:
    """Count columns."""
    raise TooWide("The text has 1002 columns; at most 1000 can be summarised.")


@operation(timeout=0.5)
def stuck() -> None:
    """Never end."""
    while True:
        time.sleep(0.01)
'''


@pytest.fixture
def stack(env, valkey, tmp_path: Path) -> Iterator[Stack]:
    """An Errand with these operations, on the embedded broker."""
    (tmp_path / "reports.py").write_text(OPERATIONS, encoding="utf-8")
    path = f"{tmp_path}:{ROOT}"
    own = {"AMQP_URI": valkey.fresh_url(), "PYTHONPATH": path, "OPERATIONS": "workers.operations,reports"}
    with running(tmp_path, env | own) as stack:
        until(lambda: stack.get("/operations/total").status_code == 200, 20, "the operations")
        yield stack


def log_of(stack: Stack, job_id: str) -> list[str]:
    """Wait for the line about a failed attempt; return it and the lines of its traceback."""
    until(lambda: f"action=attempt_failed job_id={job_id}" in stack.workers.output(), 5, "its line in the log")
    lines = stack.workers.output().splitlines()
    at = next(number for number, line in enumerate(lines) if f"action=attempt_failed job_id={job_id}" in line)
    rest = lines[at + 1 :]
    end = next((number for number, line in enumerate(rest) if not line.startswith("  | ")), len(rest))
    return [lines[at], *(line.removeprefix("  | ") for line in rest[:end])]


def failure_mail(smtp_sink) -> str:
    """Wait for the only mail; return both of its parts, with single blanks."""
    [mail] = smtp_sink.wait_for(1)
    return " ".join(f"{mail.text} {mail.html}".split())


def test_a_fault_is_explained_to_each_of_its_readers(stack, smtp_sink):
    job_id = stack.submit("total", {"rows": [{"amount": 1}, {}]}, email="name@email.com", notify={"on": ["failed"]})
    job = stack.finished(job_id)

    # developers get type and message, and what their customers read
    assert job["error"] == {"type": "KeyError", "message": "'amount'"}
    assert "Something went wrong" in job["explanation"]

    # the operator gets line and traceback, once
    line, *traceback = log_of(stack, job_id)
    assert re.search(
        r" WARNING .* total failed in attempt 1 of 3 after \d\.\d+ s: KeyError: 'amount' \(\S+reports\.py:1", line
    )
    assert traceback[0] == "Traceback (most recent call last):"
    assert traceback[-1] == "KeyError: 'amount'"
    assert not any("workers/" in each for each in traceback)
    shown = subprocess.run(
        [sys.executable, "-m", "errand.attempts", job_id],
        env=stack.workers.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert "return sum(row" in shown.stdout

    # no client gets it
    public = [stack.get(f"/jobs/{job_id}{part}").text for part in ("", "/attempts", "/log")]
    assert not any("Traceback" in text or "reports.py" in text for text in public)

    # and the customer reads a kind sentence with a reference
    mail = failure_mail(smtp_sink)
    assert "Something went wrong while we worked on your operation" in mail
    assert job_id in mail
    assert "KeyError" not in mail
    assert "Traceback" not in mail


def test_other_failures_are_explained_too(stack, smtp_sink):
    # given an error for people, a fault of a tiny operation, and one that is stuck
    wide = stack.submit("width", {"text": "a"}, email="name@email.com", notify={"on": ["failed"]})
    tiny = stack.submit("tiny_total", {"row": {}})
    stuck = stack.submit("stuck", {})

    # then people read the message that was written for them
    job, message = stack.finished(wide), "The text has 1002 columns; at most 1000 can be summarised."
    assert job["error"] == {"type": "TooWide", "message": message}
    assert job["explanation"] == message
    assert "1002 columns" in failure_mail(smtp_sink)
    [line] = log_of(stack, wide)
    assert f"TooWide: {message}" in line

    # a tiny operation has its traceback
    assert stack.finished(tiny)["error"]["type"] == "KeyError"
    line, *traceback = log_of(stack, tiny)
    assert line.endswith(" in tiny_total)")
    assert traceback[-1] == "KeyError: 'amount'"

    # and the log says where the third was when its time was up
    job = stack.finished(stuck)
    assert job["error"] == {"type": "TimedOut", "message": "took longer than its timeout of 0.5 s"}
    assert job["explanation"] == "It took longer than it may."
    line, *dump = log_of(stack, stuck)
    assert line.endswith(" in stuck)")
    assert any(each.endswith(" in stuck") for each in dump)
