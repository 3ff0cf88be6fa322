"""Webhooks, from the request to a real receiver: signed, at least once, and never twice outside the known window."""

import os
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from kombu import Connection

from errand.process.waiting import until
from errand.topology import doorbell_name
from schemas.operations import WEBHOOKS
from schemas.status import Status
from tests.conftest import missing
from tests.support.hooks import QUICK, SECRET, Hooks, events, headers_of, ids, telling
from tests.support.jobs import claimed, ended
from tests.support.smtp import HAS_OPENSSL, Certificate
from tests.support.stack import Stack, running
from tests.support.web import WebServer, endless, one_after_the_other, plain, raw

BROKEN = plain(status="500 Internal Server Error")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture(scope="module")
def trusted(tmp_path_factory) -> Certificate:
    """What the worker believes: a certificate for localhost."""
    if not HAS_OPENSSL:
        missing("the openssl command is not installed (apt-get install openssl)")
    return Certificate.make(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(scope="module")
def expired(trusted, tmp_path_factory) -> Certificate:
    """What it believed until yesterday."""
    return Certificate.make(tmp_path_factory.mktemp("expired"), expired=True)


def servers_of(valkey) -> dict[str, str]:
    return {"REDIS_URL": valkey.url(), "AMQP_URI": valkey.fresh_url(), "KEY_PREFIX": f"hooks-{uuid.uuid4().hex[:12]}:"}


@pytest.fixture(scope="module")
def hooks(valkey, trusted, expired, tmp_path_factory) -> Iterator[Hooks]:
    """One service for all receivers that misbehave."""
    bundle = tmp_path_factory.mktemp("bundle") / "trusted.pem"
    bundle.write_bytes(trusted.certificate.read_bytes() + expired.certificate.read_bytes())
    env = servers_of(valkey) | {"SSL_CERT_FILE": str(bundle), "HTTP_PROXY": "http://127.0.0.1:9"}
    with telling(tmp_path_factory.mktemp("hooks"), env | {"http_proxy": "http://127.0.0.1:9"}) as hooks:
        yield hooks


@pytest.fixture
def own(valkey, tmp_path) -> Iterator[Hooks]:
    """A service that the test may kill."""
    with telling(tmp_path, servers_of(valkey)) as hooks:
        yield hooks


# ---- the whole way


def test_who_posts_a_job_with_a_webhook_is_told_of_its_end_by_a_signed_event(on_each, tmp_path, server):
    with running(tmp_path, {**on_each, **QUICK, "MAIL_ENABLED": "false"}) as stack:
        until(stack.store.catalogue, 20, "the catalogue")
        url = server.url("/hook?key=1")
        ids_ = [
            stack.submit("sum", {"value": 30, "other": 10}, webhook_url=url),
            stack.submit("div", {"value": 1, "other": 0}, webhook_url=url),
            stack.submit("sum", {"value": 1, "other": 1}, webhook_url=url, delay=3600),
        ]
        stack.post(f"/jobs/{ids_[2]}/cancel")
        server.wait_until(lambda: len(server.bodies) == 3, 20)

        told = {event["subject"]: event for event in events(server)}
        assert [told[job_id]["type"] for job_id in ids_] == [
            "errand.job.succeeded",
            "errand.job.failed",
            "errand.job.cancelled",
        ]
        assert told[ids_[0]]["data"]["result"] == 40
        assert told[ids_[1]]["data"]["error"]["type"] == "ZeroDivisionError"
        for head in server.requests:
            assert head.startswith("POST /hook?key=1 HTTP/1.1\r\n")
            assert headers_of(head)["content-type"] == "application/cloudevents+json"
        until(lambda: stack.store.counts().notifications_due["webhook"] == 0, 10, "all marked")
        for job_id in ids_:
            [row] = until(lambda job_id=job_id: rows(stack, job_id, "sent"), 10, "the mark")
            assert (row["channel"], row["to"], row["attempts"], row["last_error"]) == ("webhook", url, 1, None)
        shown = stack.get(f"/jobs/{ids_[0]}").json()
        del shown["notifications"], shown["attempts"]
        assert told[ids_[0]]["data"] == shown | {"omitted": []}

        body = {"cron": "* * * * *", "operation": "sum", "arguments": {"value": 30, "other": 10}}
        assert stack.put("/schedules/often", body | {"webhook_url": server.url("/often")}).status_code == 201
        stack.store.client.zadd(stack.store.keys.schedules, {"often": 60_000}, xx=True)
        server.wait_until(lambda: len(server.bodies) == 4, 20)
        assert events(server)[3]["data"]["tags"] == ["schedule:often"]
        assert SECRET not in stack.workers.output() + stack.api.output()


def rows(stack, job_id, state):
    return [row for row in stack.get(f"/jobs/{job_id}").json()["notifications"] if row["state"] == state]


# ---- receivers that misbehave


OTHER_ANSWERS = [
    (BROKEN, "answered 500"),
    (plain(status="404 Not Found"), "answered 404"),
    (plain(status="301 Moved"), "answered 301, a redirect"),
    (raw(b""), "failed: Server disconnected"),
    (raw(b"HTTP/1.1 200"), "failed: Server disconnected"),
    (raw(b"\x00\xff garbage\r\n\r\n"), "failed: illegal status line"),
    (endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), "failed: the answer is too long"),
    (endless(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 1000 + b"\r\n"), "failed: Receive buffer too long"),
]


def test_who_answers_anything_but_2xx_is_told_again(hooks):
    with ExitStack() as stack:
        servers = [stack.enter_context(WebServer(one_after_the_other(answer, plain()))) for answer, _ in OTHER_ANSWERS]
        jobs, first = [], []
        for server in servers:  # one by one, as the second attempt erases the error of the first
            jobs.append(hooks.tell(server.url()))
            first.append(hooks.put_off(jobs[-1])["last_error"])
        last = [hooks.settled(job_id) for job_id in jobs]

        for error, (_, told) in zip(first, OTHER_ANSWERS, strict=True):
            assert told in error
        assert [(note["state"], note["attempts"]) for note in last] == [("sent", 2)] * len(jobs)
        for job_id, server in zip(jobs, servers, strict=True):
            assert ids(server) == [f"{job_id}-result"] * 2
            assert events(server)[0] == events(server)[1], "the same event"


def test_a_redirect_is_not_followed(hooks, server):
    with WebServer() as elsewhere:
        server.answer = one_after_the_other(
            plain(b"", f"Location: {elsewhere.url()}", status="307 Temporary Redirect"), BROKEN
        )
        job_id = hooks.tell(server.url())

        hooks.put_off(job_id)

        assert elsewhere.connections == 0
        hooks.tell(elsewhere.url("/done"))
        elsewhere.wait_until(lambda: bool(elsewhere.requests))
        assert [head.split()[1] for head in elsewhere.requests] == ["/done"]


def test_a_receiver_that_says_2xx_has_it_whatever_else_it_says(hooks):
    def drips(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        while connection.recv(1000):
            pass

    answers = [
        drips,
        plain(b"x" * 1_000_000),
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100_000),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe rest never comes"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip"),
        raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    ]
    with ExitStack() as stack:
        servers = [stack.enter_context(WebServer(answer)) for answer in answers]
        jobs = [hooks.tell(server.url()) for server in servers]

        notes = [hooks.settled(job_id, within=10) for job_id in jobs]

        assert [(note["state"], note["attempts"]) for note in notes] == [("sent", 1)] * len(jobs)
        assert [len(server.requests) for server in servers] == [1] * len(jobs)


def test_410_ends_it_for_good(hooks, server):
    server.answer = plain(status="410 Gone")

    note = hooks.settled(hooks.tell(server.url()))

    assert (note["state"], note["attempts"]) == ("failed", 1)
    assert "410" in note["last_error"]


def test_a_busy_receiver_is_left_alone_as_long_as_it_asks(hooks, server):
    server.answer = one_after_the_other(plain(b"", "Retry-After: 1800", status="429 Too Many Requests"), plain())
    greedy = one_after_the_other(plain(b"", "Retry-After: 999999", status="503 Service Unavailable"), plain())
    job_id = hooks.tell(server.url())
    hooks.put_off(job_id)
    server.answer = greedy
    other = hooks.tell(server.url("/other"))
    hooks.put_off(other)

    keys, client = hooks.store.keys, hooks.store.client
    now = client.time()[0]
    waits = {
        member.split("/")[1]: score / 1000 - now
        for member, score in client.zrange(keys.webhook_notifications, 0, -1, withscores=True)
    }
    assert 1700 < waits[job_id] <= 1801
    assert 3500 < waits[other] <= 3601, "but an hour is enough"
    hooks.hasten()
    assert hooks.settled(job_id)["state"] == hooks.settled(other)["state"] == "sent"


def test_who_can_not_be_reached_is_tried_for_a_day_and_no_longer(hooks):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    job_id = hooks.tell(f"http://127.0.0.1:{port}/")
    hooks.put_off(job_id)

    age(hooks, job_id, hours=25)
    hooks.hasten()
    note = hooks.settled(job_id)

    assert note["state"] == "failed"
    assert "Given up after 86400 seconds" in note["last_error"]


def age(hooks: Hooks, job_id: str, hours: float) -> None:
    """Let the notification be so old."""
    key = hooks.store.keys.job(job_id)
    script = """local note = cjson.decode(redis.call('HGET', KEYS[1], 'note:webhook:result'))
                note.since = note.since - ARGV[1]
                redis.call('HSET', KEYS[1], 'note:webhook:result', cjson.encode(note))"""
    hooks.store.client.eval(script, 1, key, int(hours * 3_600_000))


def test_a_slow_receiver_is_given_up_in_time_and_holds_up_nobody(hooks, server):
    with WebServer(silent=True) as silent:
        slow = [hooks.tell(silent.url(f"/{n}")) for n in range(60)]
        silent.wait_until(lambda: silent.connections >= 10)
        quick = hooks.tell(server.url())

        assert hooks.settled(quick, within=3)["state"] == "sent"

        assert silent.connections <= 40, "ten at a time, a second each"
        until(lambda: any("last_error" in hooks.note(each) for each in slow), 10, "one given up")
        errors = [hooks.note(each).get("last_error") for each in slow]
        assert {error for error in errors if error} == {"127.0.0.1 didn't answer within 1 seconds."}
        drop(hooks, slow)


def drop(hooks: Hooks, job_ids: list[str]) -> None:
    """Have these tell nobody any more."""
    members = [
        each
        for each in hooks.store.client.zrange(hooks.store.keys.webhook_notifications, 0, -1)
        if each.split("/")[1] in job_ids
    ]
    hooks.store.client.delete(*map(hooks.store.keys.job, job_ids))
    hooks.store.client.zrem(hooks.store.keys.webhook_notifications, *members)


def test_a_certificate_must_be_valid_and_the_names_own(hooks, trusted, expired, tmp_path):
    stranger = Certificate.make(tmp_path)
    with (
        WebServer(tls=trusted) as good,
        WebServer(tls=stranger) as bad,
        WebServer(tls=trusted, host="127.0.0.2") as other,
        WebServer(tls=expired) as old,
        WebServer() as plain_text,
    ):
        told = hooks.tell(good.url(host="localhost"))
        refused = [hooks.tell(bad.url(host="localhost")), hooks.tell(other.url())]
        late = hooks.tell(old.url(host="localhost"))
        garbled = hooks.tell(plain_text.url().replace("http:", "https:"))

        assert hooks.settled(told)["state"] == "sent"
        assert events(good)[0]["subject"] == told
        for each in refused:
            assert "certificate" in hooks.put_off(each)["last_error"]
        assert "certificate" in hooks.put_off(late)["last_error"]
        assert "failed" in hooks.put_off(garbled)["last_error"]
        assert bad.requests == other.requests == old.requests == [], "nothing was sent to them"
        old.tls = trusted
        hooks.hasten()
        assert hooks.settled(late)["state"] == "sent", "once it is renewed"
        drop(hooks, [*refused, garbled])


def test_large_results_are_named_and_not_sent(hooks, server):
    job_id = hooks.tell(server.url(), result='"' + "x" * 300_000 + '"')
    hooks.settled(job_id)

    [event] = events(server)

    assert (event["data"]["result"], event["data"]["omitted"]) == (None, ["result"])
    assert len(server.bodies[0]) < 2000


def test_a_result_of_just_the_right_size_is_sent_whole(hooks, server):
    text = '"' + "ü" * 131_071 + '"'
    hooks.settled(hooks.tell(server.url(), result=text))

    assert events(server)[0]["data"]["result"] == text.strip('"')


def test_a_job_that_was_run_again_meanwhile_tells_both_ends(hooks, server):
    server.answer = one_after_the_other(BROKEN, plain())
    lease = claimed(hooks.store, webhook_url=server.url())
    ended(hooks.store, lease, Status.FAILED, '{"type":"OSError","message":"first"}')
    until(lambda: "last_error" in hooks.note(lease.id, "failure"), 20, "an attempt written down")
    hooks.store.retry(lease.id)
    [again] = hooks.store.claim_these([lease.id], "worker", 60)
    ended(hooks.store, again, Status.SUCCEEDED, "40")
    hooks.hasten()

    until(lambda: hooks.note(lease.id, "failure")["state"] == "sent", 20, "the first end told")
    until(lambda: hooks.note(lease.id, "result-1")["state"] == "sent", 20, "the second end told")

    told = [(event["id"], event["type"], event["data"]["status"]) for event in events(server)]
    assert set(told) == {
        (f"{lease.id}-failure", "errand.job.failed", "failed"),
        (f"{lease.id}-result-1", "errand.job.succeeded", "succeeded"),
    }


def test_a_removed_job_still_tells_its_webhook(hooks, server):
    server.answer = one_after_the_other(BROKEN, plain())
    job_id = hooks.tell(server.url())
    hooks.put_off(job_id)

    assert hooks.store.delete(job_id).reply == "done"
    assert hooks.settled(job_id)["state"] == "sent"

    assert events(server)[1]["data"]["result"] == 40


# ---- who is not connected to


def test_a_name_of_a_private_address_is_refused_for_good_and_never_connected_to(valkey, tmp_path, server):
    with telling(tmp_path, servers_of(valkey) | {"GUARD_ALLOW": ""}) as hooks:
        jobs = [hooks.tell(server.url(host=name)) for name in ("localhost", "127.0.0.1")]

        for job_id in jobs:
            note = hooks.settled(job_id)
            assert (note["state"], note["attempts"]) == ("failed", 1)
            assert "not on the public internet" in note["last_error"]
        assert server.connections == 0


def test_without_a_secret_nothing_is_sent_and_the_job_says_why(valkey, tmp_path, server):
    with telling(tmp_path, servers_of(valkey) | {"WEBHOOK_SECRET": ""}) as hooks:
        job_id = hooks.tell(server.url())

        assert "WEBHOOK_SECRET is not set" in hooks.put_off(job_id)["last_error"]
        assert hooks.note(job_id)["state"] == "pending"
        assert server.connections == 0


# ---- a worker that dies or stops


def test_a_worker_killed_before_it_sent_anything_loses_nothing(own, server):
    own.worker.kill9()
    job_id = own.tell(server.url())

    own.worker.start()

    assert own.settled(job_id)["state"] == "sent"
    assert ids(server) == [f"{job_id}-result"]


@pytest.mark.parametrize("heard", [False, True], ids=["before the answer", "between the answer and the mark"])
def test_a_worker_killed_at_work_has_its_webhook_sent_once_more_under_the_same_id(own, server, heard):
    def kill(connection: socket.socket) -> None:
        server.answer = plain()
        assert own.worker.process
        os.kill(own.worker.process.pid, signal.SIGSTOP)  # it has got no further than this when it dies
        until(lambda: is_stopped(own.worker.process.pid), 10, "it stands still")
        if heard:
            plain()(connection)
        own.worker.kill9()

    server.answer = kill
    job_id = own.tell(server.url())
    server.wait_until(lambda: server.ended == 1, 20)
    assert own.note(job_id)["state"] == "pending", "nobody knows whether it came"

    own.hasten()
    own.worker.start()

    note = own.settled(job_id)
    assert (note["state"], note["attempts"]) == ("sent", 2)
    assert ids(server) == [f"{job_id}-result"] * 2
    assert events(server)[0] == events(server)[1]


def is_stopped(pid: int) -> bool:
    """Tell whether the process stands still."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_a_worker_that_stops_ends_what_it_is_at_and_nothing_is_sent_twice(own, server):
    stopping = threading.Event()

    def late(connection: socket.socket) -> None:
        assert stopping.wait(20)
        plain()(connection)

    server.answer = late
    job_id = own.tell(server.url())
    server.wait_until(lambda: bool(server.bodies), 20)
    assert own.worker.process
    own.worker.process.terminate()
    until(lambda: "action=stopping" in own.worker.output(), 10, "it stops")
    stopping.set()

    assert own.worker.process.wait(20) == 0
    assert own.note(job_id)["state"] == "sent"
    own.worker.start()
    own.hasten()
    assert own.settled(own.tell(server.url("/next")))["state"] == "sent"
    assert [head.split()[1] for head in server.requests] == ["/", "/next"]


# ---- the doorbell


def test_whoever_commits_rings_for_webhooks_and_not_for_mails(on_rabbitmq, tmp_path, server):
    def rung() -> int:
        with Connection(on_rabbitmq["AMQP_URI"]) as broker:
            return int(broker.default_channel.queue_declare(doorbell_name(WEBHOOKS), passive=True).message_count)

    with running(tmp_path, {**on_rabbitmq, **QUICK}, start_compute) as stack:
        stack.finished(stack.compute(email="name@email.com"))
        until(stack.store.catalogue, 20, "the catalogue")

        stack.finished(stack.submit("sum", {"value": 1, "other": 2}, webhook_url=server.url()))

        until(lambda: rung() == 1, 10, "one doorbell")


def start_compute(stack: Stack) -> None:
    """Start what computes, and nobody who would hear the doorbell."""
    stack.workers = stack.worker("compute")
    stack.workers.start()
    stack.api.start()
