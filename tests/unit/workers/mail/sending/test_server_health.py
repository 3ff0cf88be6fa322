"""Whether a mail server is tried: one that is away is left alone, one that is busy is asked by fewer."""

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
    reach, pauses = ServerHealth(2.0), []

    for _ in range(6):
        pauses.append(reach.failed(busy=False))
        assert reach.senders() == 0
        clock.now += pauses[-1]
        assert reach.senders() == 1

    assert pauses[0] == 2.0
    assert all(later >= earlier for earlier, later in pairwise(pauses))
    assert pauses[-1] == LONGEST_AWAY_SECONDS


def test_several_who_come_in_vain_at_once_lengthen_the_pause_once(clock):
    reach = ServerHealth(2.0)

    assert [reach.failed(busy=False) for _ in range(MAX_SENDERS)] == [2.0] * MAX_SENDERS


def test_one_answer_and_all_are_at_work_again(clock):
    reach = ServerHealth(2.0)
    reach.failed(busy=False)

    reach.answered()

    assert reach.senders() == MAX_SENDERS
    assert reach.failed(busy=False) == 2.0, "the pauses begin anew"


def test_a_busy_server_is_asked_by_fewer_for_a_while_and_by_one_at_least(clock):
    reach = ServerHealth(2.0)
    for left in range(MAX_SENDERS - 1, 0, -1):
        reach.failed(busy=True)
        assert reach.senders() == left

    reach.failed(busy=True)
    assert reach.senders() == 0, "it is away, then"
    reach.answered()
    assert reach.senders() == 1

    clock.now += NARROW_SECONDS
    assert reach.senders() == MAX_SENDERS
