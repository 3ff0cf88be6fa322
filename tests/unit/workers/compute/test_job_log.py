"""The log of attempts: one line each, and for a failure the error, its place and its traceback."""

import pytest

from errand.job_error import JobError
from errand.store import Commit, Lease, Outcome
from schemas.status import Status
from workers.compute import job_log

LEASE = Lease("job-1", fence="1", attempt=2, operation="report", arguments="{}", max_attempts=3)
TRACEBACK = "Traceback (most recent call last):\n  File \"/srv/reports.py\", line 12, in total\nKeyError: 'amount'\n"
PLACE = "/srv/reports.py:12 in total"


@pytest.fixture(autouse=True)
def _nothing_logged_yet(monkeypatch):
    monkeypatch.setattr(job_log, "_logged", {})


def logged(caplog, status: Status, stored: Status | None, error: JobError | None = None, **fields) -> list:
    caplog.set_level("INFO")
    caplog.clear()
    payload = error.written() if error else "40"
    outcome = Outcome(LEASE, status, payload, seconds=0.25, **fields)
    job_log.log_ends([outcome], [Commit(stored, ())])
    return caplog.records


def failed(caplog, error: JobError, status: Status = Status.FAILED, **fields) -> object:
    [record] = logged(caplog, status, status, error, traceback=TRACEBACK, place=PLACE, **fields)
    return record


def test_a_failure_is_a_warning_with_attempt_error_place_and_traceback(caplog):
    record = failed(caplog, JobError("KeyError", "'amount'"))

    assert record.getMessage() == f"report failed in attempt 2 of 3 after 0.250 s: KeyError: 'amount' ({PLACE})"
    assert (record.levelname, record.action, record.job_id) == ("WARNING", "attempt_failed", "job-1")
    assert record.traceback == TRACEBACK


def test_a_failure_that_is_tried_again_says_when(caplog):
    record = failed(caplog, JobError("KeyError", "'amount'"), Status.RETRYING, retry_ms=2100)

    assert "after 0.250 s, goes on in 2.1 s: KeyError" in record.getMessage()


def test_the_same_failure_logs_its_traceback_once_a_minute(caplog, monkeypatch):
    time = [1000.0]
    monkeypatch.setattr(job_log, "monotonic", lambda: time[0])
    assert failed(caplog, JobError("KeyError", "'amount'")).traceback
    assert not failed(caplog, JobError("KeyError", "'sum'")).traceback
    assert failed(caplog, JobError("TypeError", "sum")).traceback

    time[0] += job_log.TRACEBACK_SECONDS

    assert failed(caplog, JobError("KeyError", "'amount'")).traceback


def test_an_error_for_people_needs_no_traceback(caplog):
    record = failed(caplog, JobError("TooWide", "The text has 1002 columns.", public=True))

    assert "TooWide: The text has 1002 columns." in record.getMessage()
    assert not record.traceback


def test_a_long_message_is_cut(caplog):
    record = failed(caplog, JobError("ValueError", "x\n" * 2000))

    assert len(record.getMessage()) < job_log.MAX_ERROR + 200
    assert "\n" not in record.getMessage()


@pytest.mark.parametrize(("status", "word"), [(Status.SUCCEEDED, "succeeded"), (Status.ACCEPTED, "handed back")])
def test_any_other_end_is_one_line(caplog, status, word):
    [record] = logged(caplog, status, status)

    assert (record.levelname, record.getMessage()) == ("INFO", f"report {word} after 0.250 s")


def test_an_outcome_that_was_refused_is_not_logged(caplog):
    assert logged(caplog, Status.FAILED, None, JobError("KeyError", "'amount'")) == []
