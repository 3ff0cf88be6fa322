"""ServerHealth: a mail server that is away is left alone, and a busy one gets fewer connections."""

from itertools import pairwise

import pytest

from workers.mail.sending import server_health as mail_server
from workers.mail.sending.server_health import LONGEST_AWAY_SECONDS, MAX_SENDERS, NARROW_SECONDS, ServerHealth


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(mail_server, "monotonic", clock)
    return clock


def test_a_server_that_is_away_is_tried_by_one_mail_after_growing_pauses(clock):
    health, pauses = ServerHealth(2.0), []

    for _ in range(6):
        pauses.append(health.failed(busy=False))
        assert health.senders() == 0
        clock.now += pauses[-1]
        assert health.senders() == 1

    assert pauses[0] == 2.0
    assert all(later >= earlier for earlier, later in pairwise(pauses))
    assert pauses[-1] == LONGEST_AWAY_SECONDS


def test_several_failures_at_once_lengthen_the_pause_once(clock):
    health = ServerHealth(2.0)

    assert [health.failed(busy=False) for _ in range(MAX_SENDERS)] == [2.0] * MAX_SENDERS


def test_after_one_reply_all_senders_work_again(clock):
    health = ServerHealth(2.0)
    health.failed(busy=False)

    health.answered()

    assert health.senders() == MAX_SENDERS
    assert health.failed(busy=False) == 2.0, "the pauses start again"


def test_a_busy_server_gets_fewer_senders_for_a_while_and_at_least_one(clock):
    health = ServerHealth(2.0)
    for left in range(MAX_SENDERS - 1, 0, -1):
        health.failed(busy=True)
        assert health.senders() == left

    health.failed(busy=True)
    assert health.senders() == 0, "it is away, then"
    health.answered()
    assert health.senders() == 1

    clock.now += NARROW_SECONDS
    assert health.senders() == MAX_SENDERS
