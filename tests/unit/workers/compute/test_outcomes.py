"""The ending of an attempt decides the status of its job, and when the next attempt comes."""

from time import monotonic

import pytest

from errand.errors import OperationFailed
from errand.store import Lease
from schemas.status import Status
from workers.compute.attempt import Ending
from workers.compute.outcomes import LONGEST_PAUSE_SECONDS, outcome_of, pause_before, result_of

LEASE = Lease("job", fence="1", attempt=2, operation="sum", arguments="{}")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("succeeded", Status.SUCCEEDED),
        ("failed", Status.FAILED),
        ("cancelled", Status.CANCELLED),
        ("handed_back", Status.ACCEPTED),
    ],
)
def test_each_kind_of_ending_gives_a_status(kind, status):
    outcome = outcome_of(LEASE, None, Ending(kind, '"payload"'), monotonic())

    assert (outcome.lease, outcome.status, outcome.payload) == (LEASE, status, '"payload"')


def test_a_retryable_failure_is_tried_again_after_a_pause():
    outcome = outcome_of(LEASE, None, Ending("failed", "{}", retryable=True), monotonic())

    assert outcome.status is Status.RETRYING
    assert 2000 <= outcome.retry_ms <= 4000


def test_pauses_grow_up_to_the_longest():
    assert 1 <= pause_before(1, 2) <= 2
    assert 8 <= pause_before(4, 2) <= 16
    assert LONGEST_PAUSE_SECONDS / 2 <= pause_before(1000, 2) <= LONGEST_PAUSE_SECONDS


def test_an_error_is_raised_where_a_result_is_asked_for():
    assert result_of(Status.SUCCEEDED, "40") == 40
    with pytest.raises(OperationFailed, match="ValueError: no"):
        result_of(Status.FAILED, '{"type":"ValueError","message":"no"}')
