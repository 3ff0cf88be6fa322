"""Event streams on a real store: what a stream begins with and goes on with, when it ends, how it is resumed."""

from contextlib import closing
from threading import Semaphore

import pytest

from api.app import create_app
from api.dispatch.long_request_slot import SLOT_KEY, LongRequestSlot
from api.events import stream as stream_module
from errand.process.waiting import until
from schemas.status import Status
from tests.support.api import SilentRelay
from tests.support.jobs import accepted, claim, claimed, ended, succeeded
from tests.support.sse import messages, told

UNKNOWN = "01a1fc96-17ae-711f-a888-b75326918fe5"


@pytest.fixture
def placeless(app):
    """A client whose requests must not take long, as those are that come when all places are taken."""
    return app.test_client()


@pytest.fixture
def client(app):
    client = app.test_client()
    client.environ_base[SLOT_KEY] = LongRequestSlot(Semaphore(4))
    return client


@pytest.fixture
def impatient(monkeypatch):
    """Heartbeats come at once."""
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 0.02)


def opened(client, path, last=None):
    answer = client.get(path, headers={"Last-Event-ID": last} if last else {})
    assert answer.status_code == 200, answer.text
    return answer


def said(answer):
    """Read a stream to its end."""
    with closing(answer):
        return [message.said for message in told(answer.response)]


def of(job_id):
    return f"/jobs/{job_id}/events"


def test_a_jobs_stream_tells_its_life_from_where_it_stands_and_ends_with_its_final_status(client, store, watch):
    job_id = accepted(store)
    answer = opened(client, of(job_id))
    stream = told(answer.response)
    assert next(stream).data == {"id": job_id, "status": "accepted", "attempt": 0}

    [lease] = claim(store)
    accepted(store)  # another job, of which this stream tells nothing
    store.renew(
        [lease], 30, {job_id: '{"progress":0.4,"message":"counting","eta_seconds":2.1}'}, [(job_id, "so far 7")]
    )
    succeeded(store, lease)

    assert [(message.event, message.data) for message in stream] == [
        ("status", {"id": job_id, "status": "running", "attempt": 1}),
        ("progress", {"id": job_id, "progress": 0.4, "message": "counting", "eta_seconds": 2.1}),
        ("log", {"id": job_id, "line": "so far 7"}),
        ("status", {"id": job_id, "status": "succeeded", "attempt": 1}),
    ]
    answer.close()
    assert watch.count == 0


def test_a_stream_says_what_it_is_and_that_nobody_is_to_keep_it(client, store):
    answer = opened(client, of(accepted(store)))

    with closing(answer):
        assert answer.mimetype == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert next(messages(answer.response)).retry == 2000


def test_no_block_of_a_jobs_stream_is_blank(client, store):
    job_id = accepted(store)
    seen = store.last_event()
    succeeded(store, *claim(store))

    for last in (None, seen):
        with closing(opened(client, of(job_id), last)) as answer:
            blocks = b"".join(answer.response).split(b"\n\n")
            assert blocks.pop() == b""
        assert blocks
        assert all(b"\ndata: " in block for block in blocks)


def test_a_running_jobs_stream_begins_with_its_status_and_its_progress(client, store):
    lease = claimed(store)
    store.renew([lease], 30, {lease.id: '{"progress":0.4,"message":null,"eta_seconds":null}'})
    answer = opened(client, of(lease.id))

    with closing(answer):
        stream = told(answer.response)

        assert [next(stream).said, next(stream).said] == [("status", "running"), ("progress", 0.4)]


def test_the_stream_of_a_job_that_has_ended_tells_how_and_ends(client, store):
    lease = claimed(store)
    store.renew([lease], 30, {lease.id: '{"progress":0.4,"message":null,"eta_seconds":null}'})
    ended(store, lease, Status.FAILED, '{"type":"ZeroDivisionError","message":"division by zero"}')

    assert said(opened(client, of(lease.id))) == [("status", "failed")]


def test_who_comes_again_gets_what_he_missed_and_then_what_happens(client, store):
    job_id = accepted(store)
    answer = opened(client, of(job_id))
    seen = next(told(answer.response)).id
    answer.close()
    [lease] = claim(store)
    store.renew([lease], 30, {}, [(job_id, "one"), (job_id, "two")])

    answer = opened(client, of(job_id), seen)
    stream = told(answer.response)
    missed = [next(stream).said for _ in range(3)]
    succeeded(store, lease)

    assert missed == [("status", "running"), ("log", "one"), ("log", "two")]
    assert [message.said for message in stream] == [("status", "succeeded")]


def test_what_was_missed_is_told_up_to_the_end_however_much_it_is(client, store, monkeypatch):
    monkeypatch.setattr("api.events.backlog.PAGE", 7)
    seen = store.last_event()
    lease = claimed(store)
    lines = [f"line {number}" for number in range(50)]
    store.renew([lease], 30, {}, [(lease.id, line) for line in lines])
    before = store.events_between(seen, "+", 1)[0].number
    succeeded(store, lease)

    everything = said(opened(client, of(lease.id), before))

    assert everything == [("status", "running"), *(("log", line) for line in lines), ("status", "succeeded")]


def test_who_has_seen_the_end_is_told_not_to_come_again(client, store, watch):
    lease = claimed(store)
    succeeded(store, lease)
    with closing(opened(client, of(lease.id))) as answer:
        [last] = told(answer.response)

    answer = client.get(of(lease.id), headers={"Last-Event-ID": last.id})

    assert (answer.status_code, answer.data) == (204, b"")
    assert watch.count == 0


def test_a_job_that_is_retried_by_hand_has_a_new_stream(client, store):
    lease = claimed(store)
    ended(store, lease, Status.FAILED, '{"type":"E","message":"m"}')
    with closing(opened(client, of(lease.id))) as answer:
        [last] = told(answer.response)

    store.retry(lease.id)
    [again] = claim(store)
    succeeded(store, again)

    resumed = said(opened(client, of(lease.id), last.id))
    assert resumed == [("status", "accepted"), ("status", "running"), ("status", "succeeded")]
    assert said(opened(client, of(lease.id))) == [("status", "succeeded")]


@pytest.mark.parametrize("last", ["1-0", "9999999999999999999-0"])
def test_who_was_here_before_anything_that_is_kept_or_knows_what_never_was_gets_the_job_as_it_stands(
    client, store, last
):
    lease = claimed(store)
    succeeded(store, lease)

    assert said(opened(client, of(lease.id), last)) == [("status", "succeeded")]


def test_when_the_store_keeps_no_events_at_all_the_job_is_told_as_it_stands(client, store):
    lease = claimed(store)
    seen = store.last_event()
    succeeded(store, lease)
    store.client.delete(store.keys.events)

    assert said(opened(client, of(lease.id), seen)) == [("status", "succeeded")]


@pytest.mark.parametrize("last", ["", "x", "1", "1-", "-1", "1-0-0", "1 -0", "$", "+", f"{'9' * 20}-0", "٣-٤"])
@pytest.mark.parametrize("path", ["/events", f"/jobs/{UNKNOWN}/events"])
def test_a_last_event_id_that_is_none_is_refused(client, path, last):
    answer = client.get(path, headers={"Last-Event-ID": last})

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.json["type"] == "urn:errand:event-id-refused"


@pytest.mark.parametrize("job_id", [UNKNOWN, "x", "%00", "a" * 5000])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_job_that_is_not_there_has_no_stream(client, watch, job_id, method):
    answer = client.open(of(job_id), method=method)

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert watch.count == 0


def test_head_opens_no_stream(client, store, watch):
    for path in ("/events", of(accepted(store))):
        answer = client.head(path)

        assert (answer.status_code, answer.mimetype, answer.data) == (200, "text/event-stream", b"")
        assert "Content-Length" not in answer.headers
        assert watch.count == 0


def test_when_all_places_are_taken_a_stream_is_refused_for_now(placeless, store, watch):
    for path in ("/events", of(accepted(store))):
        answer = placeless.get(path)

        assert (answer.status_code, answer.json["type"]) == (503, "urn:errand:streams-full")
        assert answer.headers["Retry-After"] == "5"
        assert watch.count == 0


@pytest.mark.parametrize("path", ["/events", f"/jobs/{UNKNOWN}/events"])
def test_without_the_store_no_stream_begins(settings, unreachable_store, path):
    app = create_app(settings, unreachable_store, SilentRelay())
    client = app.test_client()
    client.environ_base[SLOT_KEY] = LongRequestSlot(Semaphore(4))

    answer = client.get(path)

    assert (answer.status_code, answer.json["type"]) == (503, "urn:errand:store-unavailable")
    assert app.extensions["errand"].broadcaster.count == 0


def test_a_client_that_goes_away_leaves_nothing_behind(client, store, watch):
    at_once, later = opened(client, "/events"), opened(client, of(accepted(store)))
    next(told(later.response))
    assert watch.count == 2

    at_once.close()
    later.close()

    assert watch.count == 0


def test_while_nothing_happens_heartbeats_do(client, store, impatient):
    with closing(opened(client, of(accepted(store)))) as answer:
        stream = messages(answer.response)
        beats = [message for message in (next(stream) for _ in range(6)) if message.comments]

    assert [beat.comments for beat in beats] == [["still here"]] * len(beats)
    assert len(beats) >= 3


def test_a_heartbeat_tells_where_to_go_on_when_others_had_news(client, store, impatient):
    with closing(opened(client, of(accepted(store)))) as answer:
        stream = messages(answer.response)
        accepted(store)
        latest = store.last_event()

        assert any(message.id == latest and message.data is None for message in stream)


def test_the_stream_of_a_job_that_is_no_more_ends(client, store, impatient):
    job_id = accepted(store)
    answer = opened(client, of(job_id))
    stream = told(answer.response)
    next(stream)

    store.client.delete(store.keys.job(job_id))

    assert list(stream) == []
    answer.close()


def test_when_the_process_stops_streams_end_and_whoever_resumes_loses_nothing(client, store, watch):
    job_id = accepted(store)
    answer = opened(client, of(job_id))
    stream = messages(answer.response)
    until(lambda: next(stream).data, 5, "the first status")

    watch.close()

    assert [message.comments for message in stream] == [["the server stops"]]
    answer.close()


def test_the_stream_of_all_jobs_tells_everything_from_now_on(client, store):
    accepted(store)
    answer = opened(client, "/events")
    stream = told(answer.response)

    lease = claimed(store)
    store.renew([lease], 30, {}, [(lease.id, "a line")])
    succeeded(store, lease)
    another = accepted(store)

    with closing(answer):
        seen = [next(stream) for _ in range(5)]
    assert [message.data["id"] for message in seen] == [lease.id] * 4 + [another]
    statuses = [("status", status) for status in ("accepted", "running", "succeeded", "accepted")]
    assert [message.said for message in seen] == [*statuses[:2], ("log", "a line"), *statuses[2:]]


def test_the_stream_of_all_jobs_can_be_resumed_even_if_nothing_had_come_yet(client, store, monkeypatch):
    monkeypatch.setattr(stream_module, "PAGE", 2)
    with closing(opened(client, "/events")) as answer:
        stream = messages(answer.response)
        begin = next(message.id for message in stream if message.id)
    missed = [accepted(store) for _ in range(5)]

    with closing(opened(client, "/events", begin)) as answer:
        stream = told(answer.response)
        missed_and_told = [next(stream).data["id"] for _ in range(5)]
        latest = accepted(store)
        live = next(stream).data["id"]

    assert (missed_and_told, live) == (missed, latest)


def test_the_stream_of_all_jobs_says_when_it_can_not_go_on_where_the_client_was(client, store):
    kept = accepted(store)

    with closing(opened(client, "/events", "1-0")) as answer:
        stream = messages(answer.response)
        seen = [next(stream) for _ in range(2)]

    assert ["older events are no longer kept"] in [message.comments for message in seen]
    assert [message.data["id"] for message in seen if message.data] == [kept]


def test_the_stream_of_all_jobs_begins_now_for_who_knows_what_never_was(client, store):
    accepted(store)

    with closing(opened(client, "/events", "9999999999999999999-0")) as answer:
        stream = told(answer.response)
        job_id = accepted(store)

        assert next(stream).data["id"] == job_id
