"""A job's record: made of what Redis has, with one type for each field."""

import json

import pytest

from errand.presenting.report import render
from errand.record import JobRecord
from schemas.status import Status

ID = "019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11"
LEAST = {"operation": "sum", "status": "accepted", "created_at": "1763700194123", "max_attempts": "3"}
WHOLE = {
    **LEAST,
    "status": "failed",
    "attempt": "2",
    "fence": "4",
    "retries": "1",
    "queue": "compute",
    "priority": "high",
    "timeout": "2.5",
    "tags": '["a", "schedule:nightly"]',
    "origin": "019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c10",
    "key": "once",
    "email": "a@email.com b@email.com",
    "webhook_url": "https://example.com/hook",
    "notify": "accepted failed",
    "timezone": "Europe/Berlin",
    "run_at": "1763700194200",
    "deadline": "1763700200000",
    "started_at": "1763700194201",
    "finished_at": "1763700194381",
    "expires_at": "1763786594381",
    "arguments": '{"value":30,"other":1.50}',
    "error": '{"type":"ZeroDivisionError","message":"division by zero"}',
    "note:mail:failure": '{"kind":"failure","to":"a@email.com","state":"pending","attempts":0}',
    "omitted": '["result"]',
    "seq": "1763700194123000",
}


def test_each_field_has_its_type():
    record = JobRecord.read(ID, WHOLE, position=0, wait_ms=1500)

    assert (record.id, record.operation, record.status) == (ID, "sum", Status.FAILED)
    assert (record.attempt, record.max_attempts, record.fence, record.retries) == (2, 3, 4, 1)
    assert (record.queue, record.priority, record.timeout, record.key) == ("compute", "high", 2.5, "once")
    assert record.tags == ("a", "schedule:nightly")
    assert record.emails == ("a@email.com", "b@email.com")
    assert record.notify == ("accepted", "failed")
    assert (record.created_at, record.run_at, record.deadline) == (1763700194123, 1763700194200, 1763700200000)
    assert (record.started_at, record.finished_at) == (1763700194201, 1763700194381)
    assert (record.position, record.wait_ms, record.omitted) == (0, 1500, ("result",))


def test_json_stays_the_text_that_it_is():
    record = JobRecord.read(ID, WHOLE)

    assert record.arguments == WHOLE["arguments"]
    assert record.error == WHOLE["error"]
    assert record.notes == {"mail:failure": WHOLE["note:mail:failure"]}


def test_a_field_that_redis_has_not_has_its_default():
    record = JobRecord.read(ID, LEAST)

    assert record == JobRecord(ID, "sum", Status.ACCEPTED, 1763700194123, 3)
    assert (record.attempt, record.priority, record.emails, record.notes) == (0, "normal", (), {})
    assert (record.arguments, record.result, record.started_at, record.position) == (None, None, None, None)
    assert json.loads(render(record))["timezone"] is None


@pytest.mark.parametrize("field", ["operation", "status"])
def test_no_field_can_be_set(field):
    with pytest.raises(AttributeError):
        setattr(JobRecord.read(ID, LEAST), field, "x")


def test_its_report_has_what_redis_has():
    told = json.loads(render(JobRecord.read(ID, WHOLE)))

    assert (told["id"], told["status"], told["attempt"], told["max_attempts"]) == (ID, "failed", 2, 3)
    assert (told["priority"], told["timeout"], told["tags"]) == ("high", 2.5, ["a", "schedule:nightly"])
    assert (told["created_at"], told["run_at"]) == ("2025-11-21T04:43:14.123Z", "2025-11-21T04:43:14.200Z")
    assert told["timezone"] == "Europe/Berlin"
    assert (told["arguments"], told["result"]) == ({"value": 30, "other": 1.5}, None)
    assert told["links"]["origin"] == f"/jobs/{WHOLE['origin']}"
    assert [(note["channel"], note["state"]) for note in told["notifications"]] == [("mail", "pending")]
