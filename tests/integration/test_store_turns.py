"""How many mails an address gets in an hour, in a real store: who had his share waits, and nobody else."""

import json

import pytest

from errand.store import DueNotification, Store
from schemas.notifications import NoticeState
from tests.support.jobs import accepted

HOUR = 3_600_000


@pytest.fixture
def connect(settings):
    """Make stores with a pace of the test's own."""
    stores = []

    def connected(**changes) -> Store:
        stores.append(Store.connect(settings.model_copy(update=changes)))
        return stores[-1]

    yield connected
    for store in stores:
        store.client.close()


@pytest.fixture
def paced(connect) -> Store:
    """A store whose addresses get three mails an hour. Of their turns none falls on the very end of a mail's time."""
    return connect(mail_rate=3, mail_give_up=4 * 3600.0 + 60)


def send(store: Store, count: int, to: str = "name@email.com") -> list[str]:
    return [accepted(store, email=to) for _ in range(count)]


def due(store: Store, most: int = 50) -> list[DueNotification]:
    return store.claim_mails(most, 60)


def note(store: Store, job_id: str) -> dict:
    return json.loads(store.client.hget(store.keys.job(job_id), "note:mail:receipt"))


def turn(store: Store, job_id: str) -> float:
    return store.client.zscore(store.keys.notifications, f"receipt/{job_id}")


def let_time_pass(store: Store, *ids: str) -> None:
    """Let the turns of these come, without waiting."""
    store.client.zadd(store.keys.notifications, {f"receipt/{job_id}": 1 for job_id in ids}, xx=True)


def test_an_address_gets_its_share_at_once_and_the_rest_one_by_one(paced):
    ids = send(paced, 6)

    notices = due(paced)

    assert {notice.id for notice in notices} <= set(ids)
    assert len(notices) == 3
    waiting = sorted(set(ids) - {notice.id for notice in notices}, key=lambda each: turn(paced, each))
    now = notices[0].since + notices[0].age
    for number, job_id in enumerate(waiting, 1):
        assert turn(paced, job_id) - now == pytest.approx(number * HOUR / 3, abs=2000)
        left = note(paced, job_id)
        assert (left["state"], left["attempts"], left["slot"]) == ("pending", 0, turn(paced, job_id))
        assert (
            left["last_error"] == "This address gets 3 mails an hour at most (MAIL_RATE); this one waits for its turn."
        )


def test_a_mail_whose_turn_has_come_goes_and_takes_no_other(paced):
    ids = send(paced, 4)
    sent = {notice.id for notice in due(paced)}
    [waits] = set(ids) - sent
    before = paced.client.get(paced.keys.rate("name@email.com"))

    let_time_pass(paced, waits)
    [notice] = due(paced)

    assert (notice.id, notice.attempt) == (waits, 1)
    assert paced.client.get(paced.keys.rate("name@email.com")) == before
    paced.settle(notice, NoticeState.SENT)
    assert note(paced, waits).get("last_error") is None


def test_tries_of_one_mail_count_as_one(paced):
    send(paced, 1)
    for _ in range(10):
        [notice] = due(paced)
        paced.settle(notice, NoticeState.PENDING, "451 later", retry_after=0)
    send(paced, 3)

    assert len(due(paced)) == 1 + 2


def test_an_address_counts_however_it_is_capitalised_and_others_do_not(paced):
    for to in ("Name@Email.com", "name@email.com", "NAME@EMAIL.COM", "name@email.COM"):
        send(paced, 1, to)
    send(paced, 3, "other@email.com")

    assert [notice.to.lower() for notice in due(paced)].count("name@email.com") == 3
    assert len(send(paced, 1, "third@email.com")) == len(due(paced)) == 1


def test_after_an_hour_an_address_has_its_whole_share_again_and_nothing_is_kept_of_it(paced):
    send(paced, 3)
    due(paced)

    left = paced.client.pttl(paced.keys.rate("name@email.com"))

    assert HOUR - 2000 < left <= HOUR
    paced.client.delete(paced.keys.rate("name@email.com"))
    send(paced, 3)
    assert len(due(paced)) == 3


def test_a_turn_that_would_come_after_the_mail_is_given_up_is_none(paced):
    ids = send(paced, 3 + 12 + 2)

    assert len(due(paced)) == 3

    states = [note(paced, job_id) for job_id in ids]
    failed = [left for left in states if left["state"] == "failed"]
    assert [len(failed), paced.client.zcard(paced.keys.notifications)] == [2, 15]
    assert all("at most (MAIL_RATE), and so many wait for it that" in left["last_error"] for left in failed)
    assert all("slot" not in left for left in failed)


def test_a_mail_that_is_told_once_more_takes_a_turn_once_more(paced):
    ids = send(paced, 3)
    for notice in due(paced):
        paced.settle(notice, NoticeState.FAILED, "550 no")

    for job_id in ids:
        paced.retry_notifications(job_id)

    assert due(paced) == []
    assert {note(paced, job_id)["state"] for job_id in ids} == {"pending"}


def test_who_unsubscribes_while_mails_wait_for_their_turn_is_sent_none_of_them(paced):
    ids = send(paced, 4)
    [waits] = set(ids) - {notice.id for notice in due(paced)}
    paced.unsubscribe("name@email.com")

    let_time_pass(paced, waits)

    assert due(paced) == []
    assert note(paced, waits)["state"] == "unsubscribed"


def test_many_who_wait_hide_nobody_behind_them(connect):
    store = connect(mail_rate=1, mail_give_up=31_536_000.0)
    send(store, 450)
    send(store, 1, "other@email.com")

    first, second = due(store, 1), due(store, 1)

    assert [notice.to for notice in (*first, *second)] == ["name@email.com", "other@email.com"]


@pytest.mark.parametrize("rate", [0, 1_000_000])
def test_a_rate_may_be_none_or_very_high(connect, rate):
    store = connect(mail_rate=rate)
    send(store, 300)

    assert len(due(store, 500)) == 300
    assert store.client.exists(store.keys.rate("name@email.com")) == (rate > 0)


def test_a_letter_takes_its_turn_as_well(paced):
    for number in range(4):
        paced.add_letter(f"letter-{number}", "name@email.com", "testing", "Just testing")

    assert len(due(paced)) == 3


def test_a_mail_that_waited_for_a_server_for_days_is_not_said_to_have_had_no_turn(paced):
    [job_id] = send(paced, 1)
    old = note(paced, job_id) | {"since": 1}
    paced.client.hset(paced.keys.job(job_id), "note:mail:receipt", json.dumps(old))

    assert [notice.id for notice in due(paced)] == [job_id]
