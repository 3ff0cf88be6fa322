"""Message-IDs: stable, distinct, and one thread for each recipient of a job's mails."""

import pytest

from workers.mail.writing.message_ids import message_id, receipt_of


def test_a_message_id_names_the_job_and_the_notification():
    assert message_id("1", "result-2", "errand.test") == "<1.result-2@errand.test>"


def test_a_retried_job_ends_with_a_mail_of_its_own():
    assert message_id("1", "result", "errand.test", retries=1) == "<1.result1@errand.test>"


@pytest.mark.parametrize(
    ("name", "receipt"),
    [("result", "receipt"), ("failure-2", "receipt-2"), ("", "receipt")],
)
def test_the_receipt_of_a_notification_went_to_the_same_recipient(name, receipt):
    assert receipt_of(name) == receipt
