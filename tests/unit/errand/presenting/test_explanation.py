"""Explanations: people read what was written for them, and never `KeyError: 'amount'`."""

import pytest

from errand.job_error import JobError
from errand.presenting.explanation import explanation_of, message_for_people, reason_of
from errand.record import JobRecord
from schemas.status import Status

ID = "019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11"


def record(status: Status, error: str | None) -> JobRecord:
    return JobRecord(ID, "report", status, created_at=0, max_attempts=3, error=error)


def test_a_message_for_people_is_shown_on_one_line():
    error = JobError("TooWide", "The text has 1002 columns;\nat most 1000\x1b can be read.", public=True).written()

    assert message_for_people(error, 100) == "The text has 1002 columns; at most 1000 can be read."
    assert explanation_of(record(Status.FAILED, error)) == message_for_people(error, 100)


@pytest.mark.parametrize("type_", ["KeyError", "WorkerDied", "ChildDied", "ResultRefused", "OperationUnknown"])
def test_any_other_error_gets_a_sentence_with_a_reference(type_):
    error = JobError(type_, "'amount'").written()

    text = explanation_of(record(Status.FAILED, error))

    assert message_for_people(error, 100) == ""
    assert ID in text
    assert "amount" not in text
    assert type_ not in text


@pytest.mark.parametrize(("type_", "word"), [("TimedOut", "longer"), ("MemoryExceeded", "memory")])
def test_a_limit_of_errand_is_named(type_, word):
    assert word in explanation_of(record(Status.FAILED, JobError(type_, "used more …").written()))


@pytest.mark.parametrize("error", [None, "", "nonsense"])
def test_a_failure_without_an_error_is_explained_too(error):
    assert ID in explanation_of(record(Status.FAILED, error))


def test_a_cancelled_job_has_its_reason():
    error = '{"type":"Cancelled","message":"called off while it ran"}'

    assert explanation_of(record(Status.CANCELLED, error)) == "It was cancelled: called off while it ran."
    assert explanation_of(record(Status.CANCELLED, None)) == "It was cancelled."
    assert reason_of(error, 10) == "called of…"


@pytest.mark.parametrize("status", [each for each in Status if each not in (Status.FAILED, Status.CANCELLED)])
def test_no_other_status_has_one(status):
    assert explanation_of(record(status, JobError("KeyError", "x").written())) is None
