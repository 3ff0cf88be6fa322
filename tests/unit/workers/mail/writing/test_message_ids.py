"""Message-IDs: stable, distinct, and one thread for each recipient of a job's mails."""

import pytest

from errand.record import JobRecord
from errand.store import DueJobNotification, JobEnding
from schemas.notifications import NoticeKind
from schemas.status import Status
from workers.mail.writing.message_ids import message_id, receipt_of, thread_of


def test_a_message_id_names_the_job_and_the_notification():
    assert message_id("1", "result-2", "errand.test") == "<1.result-2@errand.test>"


def test_a_retried_job_ends_with_a_mail_of_its_own():
    assert message_id("1", "result", "errand.test", retries=1) == "<1.result1@errand.test>"


@pytest.mark.parametrize(
    ("name", "run", "retries", "expected"),
    [
        ("failure", 0, 0, "failure"),
        ("failure", 0, 2, "failure"),  # still to be sent, though the job was run again
        ("failure1", 1, 2, "failure1"),
        ("failure10-2", 10, 10, "failure10-2"),
        ("failure", None, 1, "failure1"),  # recorded by the release before, which had one name for all runs
    ],
)
def test_a_mail_keeps_its_id_when_the_job_is_run_again_before_it_goes(name, run, retries, expected):
    record = JobRecord.read("1", {"operation": "sum", "status": "running", "created_at": "1", "max_attempts": "3"})
    ending = None if run is None else JobEnding(Status.FAILED, "{}", 1, 1, run)
    notice = DueJobNotification(
        kind=NoticeKind.FAILURE, id="1", name=name, record=record._replace(retries=retries), ending=ending
    )

    assert thread_of(notice, "errand.test")[0] == f"<1.{expected}@errand.test>"


@pytest.mark.parametrize(
    ("name", "receipt"),
    [("result", "receipt"), ("failure-2", "receipt-2"), ("failure1-2", "receipt-2"), ("", "receipt")],
)
def test_the_receipt_of_a_notification_went_to_the_same_recipient(name, receipt):
    assert receipt_of(name) == receipt
