"""Calls to the services of plug-ins on both brokers: what arrives, what goes wrong, and that nothing is left."""

import json
import time
from contextlib import contextmanager, suppress
from time import monotonic

import pytest
import redis
from kombu import Connection, Queue
from nameko.exceptions import RemoteError
from nameko.standalone.rpc import ClusterRpcProxy

from errand.broker.caller import Caller
from errand.broker.connection import open_connection
from errand.broker.embedded.unacknowledged import HOLD_SECONDS
from errand.errors import BrokerUnavailable, CallRefused, ServiceFailed, ServiceMissing, ServiceSlow
from errand.process.waiting import until
from tests.support.plugins import cluster_on, instances
from tests.support.ports import LOCALHOST, free_port
from tests.support.rabbitmq import vhost
from workers.entrypoints.consuming.filtering_consumer import FilteringConsumer


@pytest.fixture
def env(redis_url, key_prefix, broker_uri):
    return {"REDIS_URL": redis_url, "KEY_PREFIX": key_prefix, "AMQP_URI": broker_uri}


@pytest.fixture
def probes(tmp_path, env):
    with instances(tmp_path, env) as here:
        yield here


@pytest.fixture
def probe(probes):
    return probes.start("probe")


@pytest.fixture
def n(probe, broker_uri):
    with cluster_on(broker_uri, timeout=60) as n:
        yield n


@contextmanager
def taking(seconds):
    """Check that what is done takes about so long."""
    began = monotonic()
    yield
    assert seconds - 0.3 < monotonic() - began < seconds + 2


ANYTHING = {
    "words": "größer\0 \U0001f600",
    "a date by kombu": {"__type__": "datetime", "__value__": "2026-01-01"},
    "nothing kombu knows": {"__type__": "evil", "__value__": 1},
    "bytes by kombu": [{"__type__": "bytes", "__value__": "x"}],
    "a number that no float has": 2**70,
    "nothing": [None, True, [], {}],
    "long": "x" * 200_000,
}


@pytest.mark.parametrize("what", ANYTHING)
def test_json_arrives_as_it_was_sent_and_comes_back_as_it_was_given(shared, what):
    with cluster_on(shared) as n:
        assert n.probe.echo(ANYTHING[what]) == ANYTHING[what]
        assert n.probe.echo(value={what: ANYTHING[what]}) == {what: ANYTHING[what]}


@pytest.fixture(scope="module", params=["rabbitmq", "embedded"])
def shared(request, tmp_path_factory):
    """A broker with an instance on it, for all tests that leave both as they were."""
    server = request.getfixturevalue("valkey")
    uri = request.getfixturevalue("rabbitmq").fresh_uri() if request.param == "rabbitmq" else server.fresh_url()
    env = {"REDIS_URL": server.url(), "KEY_PREFIX": "shared:", "AMQP_URI": uri}
    with instances(tmp_path_factory.mktemp("shared"), env) as here:
        here.start("probe")
        yield uri


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes", object()])
def test_what_is_no_json_is_refused_before_it_is_sent(shared, value):
    with cluster_on(shared) as n, pytest.raises(CallRefused):
        n.probe.echo(value)


def test_a_call_that_is_too_long_is_refused_before_it_is_sent(shared):
    with cluster_on(shared) as n, pytest.raises(CallRefused):
        n.probe.echo("x" * 1_100_000)


@pytest.mark.parametrize(
    ("method", "arguments", "type_", "text"),
    [
        ("break_down", [], "ZeroDivisionError", ""),
        ("look_up", ["door"], "NotThere", "There is no door."),
        ("unserialisable", [], "ResultUnserialisable", "The call succeeded, but its result can't be sent as JSON."),
        ("nope", [], "MethodNotFound", "nope"),
        ("echo", [1, 2], "IncorrectSignature", None),
        ("break_at", ["dependency"], "RuntimeError", ""),
        ("break_at", ["setup"], "RuntimeError", ""),
        ("ask_nobody", [], "ServiceMissing", "No instance of nobody accepts calls now; try again shortly."),
    ],
)
def test_of_an_error_callers_get_its_type_and_what_is_meant_for_them(shared, method, arguments, type_, text):
    with cluster_on(shared) as n, pytest.raises(ServiceFailed) as failed:
        getattr(n.probe, method)(*arguments)

    assert failed.value.type == type_
    assert failed.value.text == text or text is None
    assert failed.value.detail == f"probe.{method} ended with {type_}."


@pytest.mark.parametrize("step", ["result", "teardown"])
def test_a_dependency_that_fails_after_the_call_takes_nothing_down(shared, step):
    with cluster_on(shared) as n:
        before = n.probe.pid()
        assert n.probe.break_at(step) == step
        assert n.probe.pid() == before


def test_nameko_s_own_client_is_answered_too(shared):
    open_connection(shared)  # installs the embedded broker where it is one
    with ClusterRpcProxy({"AMQP_URI": shared}, timeout=10) as n:
        assert n.probe.echo({"a": [1]}) == {"a": [1]}
        with pytest.raises(RemoteError, match=r"^ZeroDivisionError\s*$"):
            n.probe.break_down()


def test_a_service_calls_another_one(shared):
    with cluster_on(shared) as n:
        assert n.probe.ask_itself([1]) == [[1]] * 3


def test_a_service_nobody_ever_started_is_missing_at_once(shared):
    with taking(0), cluster_on(shared, timeout=10) as n, pytest.raises(ServiceMissing, match="nobody"):
        n.nobody.hello()


def test_a_service_that_has_stopped_is_missing_in_time_and_what_it_was_asked_isn_t_done_later(
    probe, probes, broker_uri
):
    probe.stop()

    with taking(1), cluster_on(broker_uri, timeout=1) as n, pytest.raises(ServiceMissing):
        n.probe.nap(0)

    probes.start("probe")
    with cluster_on(broker_uri) as n:
        assert n.probe.echo(1) == 1
    assert probes.lines("nap") == []


def test_a_service_that_takes_too_long_is_slow_in_time_and_its_late_reply_disturbs_nobody(shared):
    caller = Caller(shared)
    with taking(0.7), cluster_on(shared, timeout=0.7, caller=caller) as n, pytest.raises(ServiceSlow):
        n.probe.nap(1.2)

    with cluster_on(shared, caller=caller) as n:
        naps = [n.probe.nap.call_async(0.7), n.probe.echo.call_async("quick")]
        assert naps[1].result() == "quick"
        assert isinstance(naps[0].result(), int)
    assert caller.is_healthy()
    caller.stop()


def test_all_calls_of_a_block_share_its_deadline(shared):
    with taking(1), cluster_on(shared, timeout=1) as n:
        assert n.probe.nap(0.6)
        with pytest.raises(ServiceSlow):
            n.probe.nap(0.6)


def test_calls_nobody_waited_for_are_forgotten_with_their_block(shared):
    caller = Caller(shared)
    with cluster_on(shared, caller=caller) as n:
        reply = n.probe.echo.call_async("late")

    with pytest.raises(LookupError):
        reply.result()
    with cluster_on(shared, caller=caller) as n:
        assert n.probe.echo("next") == "next"
    assert caller._calls == {}
    caller.stop()


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_without_a_broker_a_call_fails_in_time(scheme):
    uri = f"{scheme}://guest:secret@{LOCALHOST}:{free_port()}/1"

    with taking(0), cluster_on(uri, timeout=2) as n, pytest.raises(BrokerUnavailable) as away:
        n.probe.echo(1)

    assert away.value.detail == "The broker can't be reached, so the call was not sent; try again shortly."


@pytest.mark.timeout(180)
def test_a_broker_that_hangs_is_away_in_time_and_found_again(rabbitmq, tmp_path, redis_url, key_prefix):
    uri = rabbitmq.fresh_uri()
    caller = Caller(uri)
    with instances(tmp_path, {"REDIS_URL": redis_url, "KEY_PREFIX": key_prefix, "AMQP_URI": uri}) as here:
        here.start("probe")
        with cluster_on(uri, caller=caller) as n:
            assert n.probe.echo(1) == 1
        rabbitmq.hold()
        try:
            for _ in range(2):  # on the connection that stands, then on a new one
                with taking(1), cluster_on(uri, timeout=1, caller=caller) as n, pytest.raises(BrokerUnavailable):
                    n.probe.echo(2)
        finally:
            rabbitmq.release()

        def answered():
            try:
                with cluster_on(uri, timeout=5, caller=caller) as n:
                    return n.probe.echo(3) == 3
            except (BrokerUnavailable, ServiceMissing, ServiceSlow):
                return False

        until(answered, 60, "an answer")
    caller.stop()


def channels_of(rabbitmq, uri):
    """Count the channels of a virtual host."""
    rows = json.loads(rabbitmq.rabbitmqctl("list_channels", "vhost", "--formatter", "json"))
    return sum(row["vhost"] == vhost(uri) for row in rows)


def test_whatever_happens_to_calls_nothing_piles_up_at_the_broker(rabbitmq, tmp_path, redis_url, key_prefix):
    uri = rabbitmq.fresh_uri()
    caller = Caller(uri)
    with instances(tmp_path, {"REDIS_URL": redis_url, "KEY_PREFIX": key_prefix, "AMQP_URI": uri}) as here:
        here.start("probe")

        def trouble():
            for method, arguments in [("nap", [0.15]), ("break_down", []), ("nope", []), ("echo", [1])]:
                with cluster_on(uri, timeout=0.1, caller=caller) as n:
                    n.probe.nap.call_async(0.01)
                    with suppress(ServiceSlow, ServiceFailed):
                        getattr(n.probe, method)(*arguments)
            with cluster_on(uri, timeout=5, caller=caller) as n:
                assert n.probe.echo(1) == 1

        trouble()
        before = rabbitmq.queues(uri)
        for _ in range(10):
            trouble()

        until(lambda: not any(rabbitmq.depths(uri).values()), 10, "empty queues")
        assert rabbitmq.queues(uri) == before
        # the caller's, the one that hears calls, and those that carry replies: one for each call at a time at most
        assert channels_of(rabbitmq, uri) == rabbitmq.connections(uri) <= 12
        caller.stop()
        until(lambda: not [name for name in rabbitmq.queues(uri) if "reply-errand" in name], 10, "no queue of replies")


def test_on_the_embedded_broker_the_queue_of_a_caller_that_was_killed_goes_as_well(valkey, tmp_path, redis_url):
    uri = valkey.fresh_url()
    with instances(tmp_path, {"REDIS_URL": redis_url, "KEY_PREFIX": "x:", "AMQP_URI": uri}) as here:
        first = here.start("probe")
        with cluster_on(uri) as n:
            assert n.probe.ask_itself(1) == [1, 1, 1]  # so that the instance has queues of replies
        first.kill9()

        here.start("probe")
        with cluster_on(uri) as n:
            assert n.probe.ask_itself(1) == [1, 1, 1]
            with Connection(uri) as connection:
                table = connection.channel().get_table("nameko-rpc")
        assert not [queue for _, _, queue in table if queue.endswith(f".{first.process.pid}")]


def test_a_call_whose_instances_all_die_of_it_is_given_up(rabbitmq, tmp_path, redis_url, key_prefix):
    uri = rabbitmq.fresh_uri()
    with instances(tmp_path, {"REDIS_URL": redis_url, "KEY_PREFIX": key_prefix, "AMQP_URI": uri}) as here:
        victims = here.start("probe")
        with cluster_on(uri, timeout=100) as n:
            reply = n.probe.die.call_async("hard")
            for _ in range(6):
                victims.process.wait(20)
                victims.start()

            with pytest.raises(ServiceFailed) as failed:
                reply.result()
            assert n.probe.echo("alive") == "alive"
    assert failed.value.text == "The call was given up: every worker that received it died."
    assert len(here.lines("die")) == 6


def test_a_call_that_comes_again_while_it_runs_is_not_started_twice(rabbitmq, tmp_path, redis_url, key_prefix):
    uri = rabbitmq.fresh_uri()
    with instances(tmp_path, {"REDIS_URL": redis_url, "KEY_PREFIX": key_prefix, "AMQP_URI": uri}) as here:
        instance = here.start("probe")
        with cluster_on(uri) as n:
            n.probe.nap.call_async(3)
            until(lambda: here.lines("nap"), 10, "the nap")
            rabbitmq.close_connections(uri)

        until(lambda: instance.output().count("action=listening") > 1, 20, "the instance back")
        until(lambda: here.lines("woke"), 20, "the end of the nap")
        assert instance.stop() == 0
        here.start("probe")
        with cluster_on(uri) as n:
            assert n.probe.echo("next") == "next"
        assert len(here.lines("nap")) == 1, "and it was acknowledged on the connection of its second delivery"


def test_a_stopping_instance_answers_the_call_at_hand_and_cuts_off_what_takes_too_long(probe, probes, broker_uri):
    with cluster_on(broker_uri, timeout=60) as n:
        reply = n.probe.nap.call_async(1)
        until(lambda: probes.lines("nap"), 10, "the nap")
        assert probe.stop() == 0
        assert isinstance(reply.result(), int)

        hasty = probes.start("probe", STOP_GRACE="0.5")
        reply = n.probe.nap.call_async(30)
        until(lambda: len(probes.lines("nap")) == 2, 10, "the second nap")
        began = time.monotonic()
        assert hasty.stop() == 0
        assert time.monotonic() - began < 10
        assert "action=cut_off" in hasty.output()


def a_minute_later(uri):
    """Let what was delivered by the embedded broker, and isn't acknowledged, look forgotten."""
    with redis.Redis.from_url(uri) as client:
        for tag in until(lambda: client.zrange("unacked_index", 0, -1), 10, "something unacknowledged"):
            client.zadd("unacked_index", {tag: 1})


def test_on_the_embedded_broker_too_a_killed_instance_loses_no_call(valkey, tmp_path, redis_url):
    uri = valkey.fresh_url()
    with instances(tmp_path, {"REDIS_URL": redis_url, "KEY_PREFIX": "x:", "AMQP_URI": uri}) as here:
        first = here.start("probe")
        with cluster_on(uri, timeout=60) as n:
            reply = n.probe.nap.call_async(1)
            until(lambda: here.lines("nap"), 10, "the nap")
            first.kill9()
            a_minute_later(uri)

            second = here.start("probe")

            assert reply.result() == second.process.pid


def test_on_the_embedded_broker_a_call_that_is_worked_on_is_held(valkey):
    uri = valkey.fresh_url()
    with open_connection(uri) as connection, redis.Redis.from_url(uri) as client:
        heard = []
        queue = Queue("calls")(connection.default_channel)
        queue.declare()
        connection.Producer().publish("hello", routing_key="calls")
        reader = FilteringConsumer(connection, queue, heard.append, 1000, 10)
        reader.consume()
        until(lambda: drained(connection) and heard, 10, "the message")

        a_minute_later(uri)
        reader.channel.qos._held -= HOLD_SECONDS + 1
        reader.hold()

        assert client.zrange("unacked_index", 0, -1, withscores=True)[0][1] > time.time() - 10
        heard[0].ack()
        reader.channel.qos._held -= HOLD_SECONDS + 1
        reader.hold()
        assert client.zcard("unacked_index") == 0


def drained(connection):
    with suppress(TimeoutError):
        connection.drain_events(timeout=1)
    return True
