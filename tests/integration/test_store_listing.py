"""The scripts against a real Redis: what lists, watchers and operators get to see."""

import json

import pytest

from errand.store import Outcome, Snapshot
from schemas.status import Status
from tests.support.jobs import accepted, claim, claimed, new_job, succeeded


def ids(page):
    return [record.id for record in page.records]


def test_a_list_begins_with_the_newest(store):
    made = [accepted(store) for _ in range(5)]

    page = store.page()

    assert (ids(page), page.next) == (made[::-1], None)


def test_pages_stay_where_they_are_while_jobs_arrive_and_go(store):
    jobs = [new_job() for _ in range(250)]
    store.accept(jobs)
    seen, cursor = [], None

    while True:
        page = store.page(limit=20, cursor=cursor)
        seen += ids(page)
        accepted(store)
        if not (cursor := page.next):
            break
        gone = claimed(store)
        succeeded(store, gone)
        store.delete(gone.id)

    assert seen == [job.id for job in jobs][::-1], "each once, in order, and nothing that came later"


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"status": "succeeded"}, "b"),
        ({"operation": "div"}, "dc"),
        ({"tag": "x"}, "ca"),
        ({"tag": "x", "operation": "div"}, "c"),
        ({"tag": "y", "status": "accepted", "operation": "sum"}, "a"),
        ({"tag": "none"}, ""),
        ({"operation": "div", "status": "succeeded"}, ""),
    ],
)
def test_filters_narrow_the_list_together(store, filters, names):
    finished = claimed(store, operation="mul")
    succeeded(store, finished)
    made = {
        "b": finished.id,
        "a": accepted(store, tags=("x", "y")),
        "c": accepted(store, operation="div", tags=("x",)),
        "d": accepted(store, operation="div"),
    }
    assert ids(store.page(**filters)) == [made[name] for name in names]


def test_a_page_that_found_little_leads_on(store):
    store.accept([new_job(operation="sum", tags=("rare",))])
    for _ in range(3):
        store.accept([new_job(operation="sum") for _ in range(500)])
    store.accept([new_job(operation="div", tags=("rare",)) for _ in range(2000)])

    page = store.page(operation="sum", tag="rare", limit=5)
    while page.next and not page.records:
        page = store.page(operation="sum", tag="rare", limit=5, cursor=page.next)

    assert len(page.records) == 1


@pytest.mark.parametrize("redis_url", ["valkey", "redis_server"], indirect=True)
def test_a_list_of_the_oldest_ends_where_it_was_told_to(store):
    made = [accepted(store, tags=("x",) if number % 2 else ()) for number in range(20)]
    upto, after, seen = store.newest_place(), 0, []

    while True:
        page = store.page_of_oldest(tag="x", upto=upto, after=after, limit=3)
        seen += ids(page)
        accepted(store, tags=("x",))  # behind the place where this list ends
        if page.next is None:
            break
        after = int(page.next)

    assert seen == made[1::2]


def test_without_jobs_there_is_no_newest_place(store):
    assert store.newest_place() == 0


def test_a_page_ends_when_it_is_large_and_leads_on(store):
    heavy = json.dumps({"text": "x" * 2**20})
    made = [accepted(store, arguments=heavy) for _ in range(6)]

    page = store.page(limit=6, fields=("arguments",))

    assert ids(page) == made[:1:-1]
    assert ids(store.page(limit=6, cursor=page.next, fields=("arguments",))) == made[1::-1]


def test_a_row_has_what_a_list_shows_and_no_result(store):
    lease = claimed(store, tags=("x",))
    succeeded(store, lease)

    [record] = store.page().records

    assert (record.status, record.tags, record.attempt) == ("succeeded", ("x",), 1)
    assert (record.result, record.arguments, record.error) == (None, None, None)


def test_what_a_running_job_says_is_shown_and_told(store):
    lease, stale = claimed(store), claimed(store)
    succeeded(store, stale)
    last = store.last_event()
    said = '{"progress":0.5,"message":"half","eta_seconds":2.0}'

    store.renew([lease, stale], 30, {lease.id: said, stale.id: said}, [(lease.id, "one"), (stale.id, "late")])

    assert store.get(lease.id).progress == said
    assert store.get(stale.id).progress is None
    assert (store.log(lease.id), store.log(stale.id)) == (["one"], [])
    progress, line = store.events_after(last, 1000, 10)
    assert (progress.kind, json.loads(progress.data)) == ("progress", {"id": lease.id, **json.loads(said)})
    assert (line.kind, json.loads(line.data)) == ("log", {"id": lease.id, "line": "one"})


def test_a_log_keeps_its_last_thousand_lines(store):
    lease = claimed(store)

    store.renew([lease], 30, {}, [(lease.id, str(n)) for n in range(1500)])

    assert store.log(lease.id) == [str(n) for n in range(500, 1500)]


def test_the_stream_can_be_read_from_any_of_its_events(store):
    first = accepted(store)
    begin = store.last_event()
    second = accepted(store)
    end = store.last_event()

    assert store.first_event() == begin
    assert [event.id for event in store.events_between("0-0", end, 10)] == [first, second]
    assert [event.id for event in store.events_between(begin, end, 10)] == [second]
    assert [event.id for event in store.events_after(begin, 10, 10)] == [second]
    assert store.events_after(end, 10, 10) == []


def test_a_job_and_the_events_that_are_kept_are_read_at_one_moment(store):
    lease = claimed(store)
    store.renew([lease], 30, {lease.id: '{"progress":0.5}'})
    first = store.first_event()

    assert store.snapshot(lease.id) == Snapshot(first, store.last_event(), Status.RUNNING, 1, '{"progress":0.5}')
    assert store.snapshot("unknown") == Snapshot(first, store.last_event(), None, 0, None)
    succeeded(store, lease)
    store.delete(lease.id)
    assert store.snapshot(lease.id).status is None


def test_without_events_a_snapshot_has_their_range_all_the_same(store):
    assert store.snapshot("unknown") == Snapshot(None, "0-0", None, 0, None)


def test_everything_is_counted_in_one_round_trip(store):
    accepted(store, queue="compute.cpu", priority="high")
    succeeded(store, claimed(store))
    accepted(store, delay_ms=60_000)
    accepted(store, email="name@email.com")

    counts = store.counts()

    assert (counts.jobs[Status.ACCEPTED], counts.jobs[Status.SUCCEEDED], counts.jobs[Status.SCHEDULED]) == (2, 1, 1)
    waiting = {(row.queue, row.priority): row.jobs for row in counts.waiting if row.jobs}
    assert waiting == {("compute.cpu", "high"): 1, ("compute", "normal"): 1}
    assert (counts.notifications_due, counts.delayed) == ({"mail": 1, "webhook": 0}, 1)
    assert counts.finished == {("sum", Status.SUCCEEDED): 1}
    assert counts.busy["sum"] >= 0
    assert counts.mean_ms["sum"] >= 0


def test_short_attempts_add_up(store):
    for _ in range(3):
        lease = claimed(store)
        store.commit([Outcome(lease, Status.SUCCEEDED, "40", seconds=0.0004)])

    counts = store.counts()

    assert counts.busy == {"sum": pytest.approx(0.0012)}
    assert counts.mean_ms == {"sum": pytest.approx(0.4)}


def test_what_a_release_before_this_one_has_counted_is_added(store):
    store.client.hset(f"{store.keys.prefix}totals", mapping={"sum ms": 1500, "sum succeeded": 3})
    store.commit([Outcome(claimed(store), Status.SUCCEEDED, "40", seconds=0.25)])

    assert store.counts().busy == {"sum": pytest.approx(1.75)}


def test_an_operation_that_nobody_shows_any_more_is_withdrawn(store):
    store.publish_catalogue({"sum": "{}", "gone": "{}"})
    assert set(store.catalogue()) == {"sum", "gone"}

    store.client.zadd(f"{store.keys.catalogue}:shown", {"gone": 1})
    store.publish_catalogue({"sum": '{"name":"sum"}'})

    assert store.catalogue() == {"sum": '{"name":"sum"}'}


def test_a_store_has_no_events_before_the_first_job(store):
    assert (store.last_event(), store.first_event(), claim(store)) == ("0-0", None, [])
