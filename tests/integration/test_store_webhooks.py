"""Webhooks in a real store: recorded with the commit, claimed by receivers in turn, settled once."""

import json
from collections import Counter

import pytest

from errand.store import DueNotification, Outcome, Store
from schemas.notifications import NoticeKind, NoticeState
from schemas.status import Status
from tests.support.jobs import accepted, claim, claimed, ended, expire, rescue, succeeded

URL = "https://example.com/hook"
ERROR = '{"type":"OSError","message":"no"}'
PLENTY = 1_000_000


def due(store: Store, most: int = 50, share: int = 50, longest: int = PLENTY, **at_hand: int) -> list[DueNotification]:
    return store.claim_webhooks(most, 60, longest, share, at_hand)


def done(store: Store, url: str = URL, **fields) -> str:
    lease = claimed(store, webhook_url=url, **fields)
    succeeded(store, lease)
    return lease.id


def notes(store: Store, job_id: str) -> dict[str, dict]:
    record = store.client.hgetall(store.keys.job(job_id))
    return {name: json.loads(text) for name, text in record.items() if name.startswith("note:")}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.SUCCEEDED, NoticeKind.RESULT),
        (Status.FAILED, NoticeKind.FAILURE),
        (Status.CANCELLED, NoticeKind.CANCELLED),
    ],
)
def test_each_end_of_a_job_records_a_notification_in_its_commit(store, status, kind):
    lease = claimed(store, webhook_url=URL)
    assert notes(store, lease.id) == {}, "there is no receipt"

    commit = ended(store, lease, status, ERROR)

    assert commit.to_tell == ("webhooks",)
    [notice] = due(store)
    assert (notice.kind, notice.id, notice.name, notice.to, notice.attempt) == (kind, lease.id, kind.value, URL, 1)
    assert notice.receiver == "example.com"
    assert notice.record.status == status
    assert due(store) == [], "claimed"


def test_who_is_mailed_and_who_has_a_webhook_are_told_each_by_its_service(store):
    lease = claimed(store, webhook_url=URL, email="name@email.com")

    assert succeeded(store, lease).to_tell == ("mail", "webhooks")
    assert [notice.channel for notice in due(store)] == ["webhook"]
    assert {notice.channel for notice in store.claim_mails(50, 60)} == {"mail"}


def test_a_job_without_a_webhook_records_none(store):
    assert succeeded(store, claimed(store, email="name@email.com")).to_tell == ("mail",)
    assert store.client.zcard(store.keys.webhook_notifications) == 0


def test_a_webhook_is_told_though_mail_is_switched_off(silent_store):
    lease = claimed(silent_store, webhook_url=URL, email="name@email.com")

    assert succeeded(silent_store, lease).to_tell == ("webhooks",)


def test_a_cancelled_job_tells_its_webhook(store):
    job_id = accepted(store, webhook_url=URL)

    assert store.cancel(job_id).to_tell == ("webhooks",)
    [notice] = due(store)
    assert json.loads(notice.ending.error)["type"] == "Cancelled"


def test_jobs_that_the_rescuer_ends_tell_theirs(store):
    late = accepted(store, webhook_url=URL, deadline_ms=1)
    dead = claimed(store, webhook_url=URL, max_attempts=1)
    expire(store, dead)

    rescue(store)

    assert {notice.id: notice.kind for notice in due(store)} == {late: "cancelled", dead.id: "failure"}


def test_an_attempt_that_may_go_better_tells_nothing(store):
    lease = claimed(store, webhook_url=URL)

    assert ended(store, lease, Status.RETRYING, ERROR, retry_ms=60_000).to_tell == ()
    assert due(store) == []


def test_an_attempt_to_tell_is_settled_once_and_overtaken_ones_not_at_all(store):
    job_id = done(store)
    [first] = store.claim_webhooks(1, 0, PLENTY, 50, {})
    [second] = store.claim_webhooks(1, 60, PLENTY, 50, {})

    assert (first.attempt, second.attempt) == (1, 2)
    assert not store.settle(first, NoticeState.SENT)
    assert store.settle(second, NoticeState.SENT)
    assert not store.settle(second, NoticeState.SENT), "that is done"
    note = notes(store, job_id)["note:webhook:result"]
    assert (note["state"], note["attempts"]) == ("sent", 2)
    assert note["sent_at"] >= note["since"]
    assert store.client.zcard(store.keys.webhook_notifications) == 0


def test_what_is_put_off_is_due_again_after_its_pause(store):
    done(store)
    [notice] = due(store)

    assert store.settle(notice, NoticeState.PENDING, "no", retry_after=60)
    assert due(store) == []
    store.client.zadd(
        store.keys.webhook_notifications, dict.fromkeys(store.client.zrange(store.keys.webhook_notifications, 0, -1), 1)
    )
    [again] = due(store)
    assert again.attempt == 2
    assert again.age >= 0


def test_no_receiver_has_more_than_its_share_and_others_go_on(store):
    for n in range(12):
        done(store, f"https://slow.example/{n}")
    other = done(store, "http://OTHER.example:8080/x")

    first = due(store, share=5)
    later = due(store, share=5, **{"slow.example": 5})
    freed = due(store, share=5, **{"slow.example": 4})

    assert Counter(notice.receiver for notice in first) == {"slow.example": 5, "other.example:8080": 1}
    assert first[-1].id == other
    assert later == []
    assert [notice.receiver for notice in freed] == ["slow.example"]


def test_a_receiver_with_a_long_queue_hides_nobody_behind_it(store):
    other = done(store)
    [member] = store.client.zrange(store.keys.webhook_notifications, 0, -1)
    pipe = store.client.pipeline()
    for n in range(4500):
        pipe.hset(
            store.keys.job(f"j{n}"),
            "note:webhook:result",
            '{"kind":"result","to":"https://slow.example/","state":"pending","attempts":0,"since":1}',
        )
        pipe.zadd(store.keys.webhook_notifications, {f"result/j{n}/slow.example": n})
    pipe.execute()
    assert store.client.zrank(store.keys.webhook_notifications, member) == 4500

    claimed_ids = [[notice.id for notice in due(store, share=5, **{"slow.example": 5})] for _ in range(3)]

    assert claimed_ids == [[], [], [other]]


def test_what_is_longer_than_wanted_stays_in_the_store_and_is_named(store):
    lease = claimed(store, webhook_url=URL, arguments=json.dumps({"a": "x" * 100}))
    succeeded(store, lease, json.dumps("y" * 200))

    [notice] = due(store, longest=50)

    assert notice.record.result is None
    assert notice.record.arguments is None
    assert notice.record.omitted == ("arguments", "result")
    assert notice.record.status == "succeeded"


def test_a_job_that_was_run_again_tells_each_of_its_ends(store):
    lease = claimed(store, webhook_url=URL)
    ended(store, lease, Status.FAILED, ERROR)
    [first] = due(store)
    store.retry(lease.id)
    [again] = claim(store)
    ended(store, again, Status.FAILED, '{"type":"Other","message":"again"}')
    store.retry(lease.id)
    [last] = claim(store)
    succeeded(store, last)

    later = due(store)

    assert [first.name, *(notice.name for notice in later)] == ["failure", "failure-1", "result-2"]
    assert [json.loads(notice.ending.error)["type"] for notice in (first, later[0])] == ["OSError", "Other"]
    assert later[1].ending is None
    for notice in (first, *later):
        assert store.settle(notice, NoticeState.SENT)
    assert {note["state"] for note in notes(store, lease.id).values()} == {"sent"}
    assert not any("ending" in note for note in notes(store, lease.id).values()), "it is not needed any more"


def test_a_job_removed_before_its_webhook_was_told_is_gone_for_clients_and_told_all_the_same(store):
    job_id = done(store)

    assert store.delete(job_id).reply == "done"
    assert store.get(job_id) is None
    rescue(store)

    [notice] = due(store)
    assert (notice.id, notice.record.result) == (job_id, "40")
    store.settle(notice, NoticeState.SENT)
    store.client.zadd(store.keys.retention, {job_id: 0})
    rescue(store)
    assert not store.client.exists(store.keys.job(job_id))


def test_a_batch_says_for_each_job_who_is_to_be_told(store):
    leases = [claimed(store, **fields) for fields in ({}, {"webhook_url": URL}, {"email": "name@email.com"})]

    commits = store.commit([Outcome(lease, Status.SUCCEEDED, "1") for lease in leases])

    assert [commit.to_tell for commit in commits] == [(), ("webhooks",), ("mail",)]
    assert {commit.status for commit in commits} == {Status.SUCCEEDED}


def test_webhooks_are_counted_by_themselves(store):
    done(store)

    assert store.counts().notifications_due == {"mail": 0, "webhook": 1}


def test_a_job_that_tells_nobody_costs_no_more_commands_than_before(store):
    def commands(**fields) -> int:
        lease = claimed(store, **fields)
        store.client.config_resetstat()
        succeeded(store, lease)
        stats = store.client.info("commandstats")
        return sum(row["calls"] for name, row in stats.items() if "evalsha" not in name and "info" not in name)

    silent, mailed, hooked = commands(), commands(email="a@b.c"), commands(webhook_url=URL)

    assert mailed - silent == hooked - silent == 3, "what is told, write this note, make it due"
