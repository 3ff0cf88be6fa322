"""Relay, pooled proxy and publisher against a real RabbitMQ: doorbells arrive, and nothing is left behind."""

import threading
from collections import Counter
from uuid import uuid4

import pytest
from flask_nameko.errors import BadConfigurationError
from kombu import Connection

from api.doorbells.proxy import DoorbellProxy
from api.doorbells.relay import MAX_PER_TINY_QUEUE, Relay, Ring, without_surplus
from errand.broker.messages import doorbell
from errand.broker.publisher import Publisher
from errand.errors import BrokerUnavailable, DoorbellUnroutable
from errand.store import NewJob
from errand.topology import DOORBELLS, doorbell_name, doorbell_queue
from schemas.operations import COMPUTE, MAIL
from tests.support.ports import free_port

QUEUE = doorbell_queue(COMPUTE).name


@pytest.fixture
def proxy(amqp_uri):
    proxy = DoorbellProxy(amqp_uri)
    yield proxy
    proxy.close()


@pytest.fixture
def broker(amqp_uri):
    """A connection of the test's own, to look at the queues."""
    with Connection(amqp_uri) as connection:
        yield connection


def ring(proxy, *ids, queue=COMPUTE):
    with proxy.publisher() as publisher:
        publisher.publish([doorbell(queue, job_id) for job_id in ids])
    return publisher


def waiting(broker, queue=QUEUE):
    with broker.channel() as channel:
        return channel.queue_declare(queue, passive=True).message_count


def test_only_the_job_id_travels(proxy, broker):
    job_id = str(uuid4())

    ring(proxy, job_id)

    with broker.channel() as channel:
        message = channel.basic_get(QUEUE, no_ack=True)
    assert message.body == job_id
    assert "reply_to" not in message.properties
    assert message.properties["delivery_mode"] == 2


def test_ten_thousand_calls_leave_no_reply_queue_and_nothing_in_memory(proxy, broker, rabbitmq, amqp_uri):
    ids = [str(uuid4()) for _ in range(10_000)]

    for start in range(0, len(ids), 500):
        publisher = ring(proxy, *ids[start : start + 500])

    assert waiting(broker) == 10_000
    assert rabbitmq.queues(amqp_uri) == {doorbell_name(queue) for queue in DOORBELLS}
    assert publisher._window._open == set()


def test_the_doorbell_queue_is_a_quorum_queue(proxy, rabbitmq, amqp_uri):
    ring(proxy, str(uuid4()))

    assert rabbitmq.queue_types(amqp_uri)[QUEUE] == "quorum"


def test_the_queue_of_another_service_is_declared_when_it_is_first_rung(proxy, broker, rabbitmq, amqp_uri):
    ring(proxy, str(uuid4()), queue="reports.cpu")

    assert doorbell_name("reports.cpu") in rabbitmq.queues(amqp_uri)
    ring(proxy, str(uuid4()))
    assert waiting(broker) == 1


def test_a_queue_deleted_meanwhile_is_declared_again(proxy, broker):
    ring(proxy, str(uuid4()))
    with broker.channel() as channel:
        channel.queue_delete(QUEUE)

    with pytest.raises(DoorbellUnroutable):
        ring(proxy, str(uuid4()))
    ring(proxy, str(uuid4()))

    assert waiting(broker) == 1


def test_a_connection_the_broker_closed_is_replaced_before_it_is_used(proxy, broker, rabbitmq, amqp_uri):
    first = ring(proxy, str(uuid4()))._connection
    rabbitmq.close_connections(amqp_uri)

    second = ring(proxy, str(uuid4()))._connection

    assert second is not first
    with Connection(amqp_uri) as fresh:
        assert waiting(fresh) == 2


def test_without_a_broker_the_proxy_starts_and_a_doorbell_fails_in_time():
    proxy = DoorbellProxy(f"amqp://guest:guest@127.0.0.1:{free_port()}//")

    with pytest.raises(BrokerUnavailable):
        ring(proxy, str(uuid4()))


def test_the_proxy_refuses_an_empty_address():
    with pytest.raises(BadConfigurationError):
        DoorbellProxy("")


def test_a_window_is_confirmed_as_a_whole(amqp_uri, broker):
    publisher = Publisher(amqp_uri)

    publisher.publish([doorbell(COMPUTE, str(uuid4())) for _ in range(1000)])

    assert waiting(broker) == 1000
    publisher.close()


def accept_and_ring(store, relay):
    job = NewJob(str(uuid4()), "sum", "{}")
    store.accept([job])
    relay.ring(job.id, job.queue)
    return job.id


class Watched:
    """A store that tells when the relay marked ids as rung."""

    def __init__(self, store):
        self._store, self.marked, self._changed = store, [], threading.Condition()

    def unheard(self, ids):
        return self._store.unheard(ids)

    def confirmed(self, ids):
        self._store.confirmed(ids)
        with self._changed:
            self.marked += ids
            self._changed.notify_all()

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.marked) >= count, timeout=20)


def test_what_the_relay_rang_leaves_the_outbox(settings, store, broker_uri):
    watched = Watched(store)
    relay = Relay(settings.model_copy(update={"amqp_uri": broker_uri}), watched)
    relay.start()

    ids = {accept_and_ring(store, relay) for _ in range(50)}
    watched.wait_for(50)
    relay.stop()

    assert set(watched.marked) == ids
    assert store.client.zcard(store.keys.outbox) == 0
    with Connection(broker_uri) as connection:
        assert 1 <= waiting(connection) <= 50


def test_a_few_doorbells_of_a_window_do_for_tiny_jobs_but_every_other_job_has_its_own():
    queues = [COMPUTE, "reports", f"{COMPUTE}.cpu", f"{COMPUTE}.io", MAIL]
    rings = [Ring(str(number), queue, 0.0) for number in range(100) for queue in queues]

    chosen = Counter(ring.queue for ring in without_surplus(rings))

    assert chosen == {
        COMPUTE: MAX_PER_TINY_QUEUE,
        "reports": MAX_PER_TINY_QUEUE,
        f"{COMPUTE}.cpu": 100,
        f"{COMPUTE}.io": 100,
        MAIL: 100,
    }


def test_nobody_is_rung_for_what_was_claimed_meanwhile(settings, store, broker_uri):
    watched = Watched(store)
    relay = Relay(settings.model_copy(update={"amqp_uri": broker_uri}), watched)
    jobs = [NewJob(str(uuid4()), "sum", "{}") for _ in range(2)]
    store.accept(jobs)
    store.claim_these([jobs[0].id], "worker", 30)

    relay.start()
    for job in jobs:
        relay.ring(job.id, job.queue)
    watched.wait_for(1)
    relay.stop()

    assert watched.marked == [jobs[1].id]
    with Connection(broker_uri) as connection:
        assert waiting(connection) == 1


def test_while_the_broker_is_away_the_relay_keeps_the_ids_and_the_outbox_too(settings, store):
    nowhere = f"amqp://guest:guest@127.0.0.1:{free_port()}//"
    relay = Relay(settings.model_copy(update={"amqp_uri": nowhere}), store)
    relay.start()

    job_id = accept_and_ring(store, relay)
    relay.stop()

    assert not relay.broker_up
    assert store.client.zrange(store.keys.outbox, 0, -1) == [job_id]
