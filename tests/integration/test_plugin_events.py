"""Events and timers of plug-ins on both brokers: who gets them, how often, and what can't take a service down."""

import os
import signal

import pytest
from kombu import Connection
from nameko.standalone.events import event_dispatcher

from errand.broker.connection import open_connection
from errand.process.waiting import until
from errand.topology import events_exchange
from tests.support.plugins import cluster_on, instances

EARS = 7
"""Kinds of events that `ears` listens for."""


@pytest.fixture
def here(redis_url, key_prefix, broker_uri, tmp_path):
    with instances(tmp_path, {"REDIS_URL": redis_url, "KEY_PREFIX": key_prefix, "AMQP_URI": broker_uri}) as here:
        yield here


@pytest.fixture
def here_on_rabbitmq(redis_url, key_prefix, amqp_uri, tmp_path):
    with instances(tmp_path, {"REDIS_URL": redis_url, "KEY_PREFIX": key_prefix, "AMQP_URI": amqp_uri}) as here:
        yield here


@pytest.fixture
def n(here, broker_uri):
    here.start("probe")
    with cluster_on(broker_uri, timeout=60) as n:
        yield n


def test_each_service_each_instance_or_one_of_all_gets_an_event(n, here):
    first, second = (here.start("ears", listening=EARS) for _ in range(2))
    here.start("others", listening=2)

    for number in range(5):
        n.probe.tell("news", number)
        n.probe.tell("alarm", number)
        n.probe.tell("duty", number)

    everything = [str(number) for number in range(5)]
    until(lambda: len(here.lines()) >= 25, 20, "all that is to be heard")
    assert sorted(here.lines("ears")) == sorted(here.lines("others")) == everything
    assert sorted(here.lines("duty")) == everything
    pids = [instance.process.pid for instance in (first, second)]
    assert sorted(here.lines("alarm")) == sorted(f"{number} {pid}" for number in range(5) for pid in pids)


def test_events_wait_for_a_service_that_isn_t_there_but_no_broadcast_does(n, here):
    here.start("ears", listening=EARS).stop()

    n.probe.tell("alarm", "missed")
    n.probe.tell("news", {"__type__": "evil", "__value__": 1})

    here.start("ears", listening=EARS)
    until(lambda: here.lines("ears"), 20, "the event that waited")
    assert here.lines() == ["ears {'__type__': 'evil', '__value__': 1}"]


def test_what_nameko_s_own_dispatcher_tells_is_heard(here, broker_uri):
    here.start("ears", listening=EARS)
    open_connection(broker_uri)

    event_dispatcher({"AMQP_URI": broker_uri})("probe", "news", "from afar")

    until(lambda: here.lines("ears") == ["from afar"], 20, "the event")


def test_an_event_whose_handler_fails_comes_again_five_times_and_no_more(n, here):
    instance = here.start("ears", listening=EARS)

    n.probe.tell("trouble", 1)
    until(lambda: len(here.lines("trouble")) == 6, 20, "six tries")
    n.probe.tell("news", "after it")

    until(lambda: here.lines("ears") == ["after it"], 20, "the next event")
    assert len(here.lines("trouble")) == 6
    assert instance.running


def test_garbage_is_dropped_and_the_next_event_is_heard(here, broker_uri):
    instance = here.start("ears", listening=EARS)
    garbage = {
        "nothing": (b"", {}),
        "no JSON": (b"{{{{", {}),
        "no number": (b"[NaN]", {}),
        "too deep": (b"[" * 100_000, {}),
        "too long": (b'"' + b"x" * 2_000_000 + b'"', {}),
        "pickle": (b"cos\nsystem\n(S'true'\ntR.", {"content_type": "application/x-python-serialize"}),
        "strange headers": (b'"heard 1"', {"headers": {"nameko.call_id_stack": 5, "x-delivery-count": "y"}}),
    }

    with open_connection(broker_uri) as connection:
        producer = connection.Producer()
        for body, properties in [*garbage.values(), (b'"heard 2"', {})]:
            fields = {"content_type": "application/json", "content_encoding": "utf-8", **properties}
            producer.publish(body, exchange=events_exchange("probe"), routing_key="news", **fields)

    until(lambda: len(here.lines("ears")) == 2, 20, "the events that are none of it")
    assert sorted(here.lines("ears")) == ["heard 1", "heard 2"]
    assert instance.output().count("action=event_dropped") == len(garbage) - 1
    assert instance.running


def test_a_stopping_service_finishes_the_event_at_hand(n, here):
    instance = here.start("ears", listening=EARS)
    n.probe.tell("work", 1)
    n.probe.tell("news", "begun")
    until(lambda: here.lines("ears"), 20, "the handlers at work")

    assert instance.stop() == 0

    assert here.lines("work") == ["1"]
    here.start("ears", listening=EARS)
    n.probe.tell("news", "again")
    until(lambda: len(here.lines("ears")) == 2, 20, "the next event")
    assert here.lines("work") == ["1"], "it was acknowledged"


@pytest.mark.timeout(180)
def test_an_event_whose_service_dies_of_it_is_given_up(rabbitmq, redis_url, key_prefix, tmp_path):
    uri = rabbitmq.fresh_uri()
    with instances(tmp_path, {"REDIS_URL": redis_url, "KEY_PREFIX": key_prefix, "AMQP_URI": uri}) as here:
        instance = here.start("ears", listening=EARS)
        event_dispatcher({"AMQP_URI": uri})("probe", "poison", 1)

        for _ in range(6):
            instance.process.wait(20)
            instance.start()

        until(lambda: "action=event_dropped" in instance.output(), 20, "the event dropped")
        assert len(here.lines("poison")) == 6
        assert instance.running


def test_on_the_embedded_broker_a_killed_instance_leaves_no_queue_of_broadcasts(valkey, redis_url, tmp_path):
    uri = valkey.fresh_url()
    with instances(tmp_path, {"REDIS_URL": redis_url, "KEY_PREFIX": "x:", "AMQP_URI": uri}) as here:
        killed = here.start("ears", listening=EARS)
        killed.kill9()

        event_dispatcher({"AMQP_URI": uri})("probe", "alarm", 1)

        with Connection(uri) as connection:
            channel = connection.channel()
            assert not [row for row in channel.get_table("probe.events") if row[2].endswith(f".{killed.process.pid}")]
            assert channel.client.keys("*in_each_instance*") == []


def test_a_timer_ticks_in_each_instance_and_one_that_is_to_tick_once_in_one_of_them(here_on_rabbitmq):
    here = here_on_rabbitmq

    def pids(word, after=0):
        return set(here.lines(word)[after:])

    first, second = (here.start("clocks", listening=0) for _ in range(2))
    both = {str(each.process.pid) for each in (first, second)}
    until(lambda: pids("each") == both, 20, "ticks of both")
    until(lambda: len(here.lines("alone")) > 3, 20, "ticks of one")
    (leader,) = pids("alone")

    os.kill(int(leader), signal.SIGKILL)

    until(lambda: pids("alone") == both, 20, "ticks of the other")
    after = here.lines("alone").index((both - {leader}).pop())
    assert set(here.lines("alone")[after:]) == both - {leader}
