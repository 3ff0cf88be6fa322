"""What a receiver's answer means."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from workers.outbound.http import HttpResponse
from workers.webhooks.delivery_result import result_of


def answered(status: int, **headers: str):
    return result_of(HttpResponse(status, headers, b"", cut=False))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_means_taken(status):
    assert answered(status).error == ""


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 429, 500, 503, 600])
def test_any_other_answer_is_told_and_may_be_another_next_time(status):
    reply = answered(status)

    assert str(status) in reply.error
    assert not reply.for_good


def test_410_is_for_good():
    assert answered(410).for_good


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_receiver_may_say_when_to_come_again(status):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)

    assert answered(status, **{"retry-after": "7"}).retry_after == 7
    assert 95 < answered(status, **{"retry-after": later}).retry_after <= 100


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "٣", "9" * 5000, "Thu, 01 Jan 1970 00:00:00 GMT", "\x00"])
def test_what_is_no_time_to_come_is_none(text):
    assert answered(503, **{"retry-after": text}).retry_after == 0


def test_others_are_not_asked_when_to_come_again():
    assert answered(500, **{"retry-after": "7"}).retry_after == 0
