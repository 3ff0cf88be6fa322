"""The embedded broker on a real Valkey: what nameko and the doorbells expect of RabbitMQ holds here as well."""

import json
import subprocess
import sys
import threading
from queue import Queue as Inbox

import pytest
import redis
from kombu import Connection, Consumer, Exchange, Queue
from kombu.exceptions import ChannelError, OperationalError
from kombu.transport import TRANSPORT_ALIASES

from errand.broker.connection import declare, open_connection
from errand.broker.embedded import transport
from errand.broker.embedded.channel import REPLY_MS
from errand.process.waiting import until
from errand.topology import COMPUTE, doorbell_queue

TOPIC = Exchange("topics", type="topic", durable=True)
DOORBELL = doorbell_queue(COMPUTE)


@pytest.fixture
def uri(valkey):
    return valkey.fresh_url()


@pytest.fixture
def connection(uri):
    with open_connection(uri) as connection:
        yield connection


@pytest.fixture
def other(uri):
    """A second connection, which has declared nothing."""
    with open_connection(uri) as connection:
        yield connection


def put(connection, body, key, exchange="", **options):
    connection.Producer(auto_declare=False).publish(
        body, exchange=exchange, routing_key=key, content_type="text/plain", content_encoding="utf-8", **options
    )


def take(connection, queue, **options):
    return connection.default_channel.basic_get(queue, **options)


class Reader:
    """Consumes a queue and keeps what it gets, unacknowledged."""

    def __init__(self, connection, queue, prefetch=0):
        self.connection, self.got = connection, []
        consumer = Consumer(
            connection.channel(), [queue], on_message=self.got.append, auto_declare=False, prefetch_count=prefetch
        )
        consumer.consume()

    def read(self, seconds=0.3):
        """Read until nothing has come for a moment; give the bodies."""
        try:
            while True:
                self.connection.drain_events(timeout=seconds)
        except TimeoutError:
            return [message.payload for message in self.got]


def test_installing_twice_is_installing_once():
    transport.install()
    first = dict(TRANSPORT_ALIASES)
    transport.install()

    assert first == TRANSPORT_ALIASES
    assert type(Connection("redis://127.0.0.1").transport) is transport.EmbeddedTransport
    assert Connection("rediss://127.0.0.1").transport_cls == "rediss"


def test_the_content_type_is_where_nameko_looks_for_it(connection):
    declare(connection)

    put(connection, "x", DOORBELL.name)

    message = take(connection, DOORBELL.name)
    assert message.properties["content_type"] == "text/plain"
    assert message.properties["content_encoding"] == "utf-8"


def test_a_connection_that_declared_nothing_routes_by_topic(connection, other):
    for pattern in ("a.*", "a.b", "#.z", "c"):
        Queue(f"q.{pattern}", TOPIC, routing_key=pattern)(connection.default_channel).declare()

    for key in ("a.b", "a.b.z", "c", "nobody"):
        put(other, key, key, exchange=TOPIC.name)

    def bodies(pattern):
        return [message.payload for message in iter(lambda: take(connection, f"q.{pattern}"), None)]

    assert bodies("a.*") == ["a.b"]
    assert bodies("a.b") == ["a.b"]
    assert bodies("#.z") == ["a.b.z"]
    assert bodies("c") == ["c"]


def test_a_queue_with_the_arguments_of_a_quorum_queue_exists_and_is_empty(connection, other):
    declare(connection)

    assert DOORBELL.queue_arguments["x-queue-type"] == "quorum"
    with other.channel() as channel:
        assert channel.queue_declare(DOORBELL.name, passive=True).message_count == 0


def test_a_queue_that_was_never_declared_does_not_exist(connection):
    with connection.channel() as channel, pytest.raises(ChannelError, match="NOT_FOUND"):
        channel.queue_declare("nobody", passive=True)


def test_a_deleted_queue_is_gone_with_its_messages(connection):
    declare(connection)
    put(connection, "x", DOORBELL.name)

    with connection.channel() as channel:
        channel.queue_delete(DOORBELL.name)

        with pytest.raises(ChannelError, match="NOT_FOUND"):
            channel.queue_declare(DOORBELL.name, passive=True)
    assert take(connection, DOORBELL.name) is None


def test_what_must_arrive_and_can_not_is_an_error(connection):
    declare(connection)
    TOPIC(connection.default_channel).declare()

    put(connection, "x", DOORBELL.name, mandatory=True)
    with pytest.raises(ChannelError, match="NO_ROUTE"):
        put(connection, "x", "nobody", mandatory=True)
    with pytest.raises(ChannelError, match="NO_ROUTE"):
        put(connection, "x", "nobody", exchange=TOPIC.name, mandatory=True)

    put(connection, "x", "nobody", exchange=TOPIC.name)  # nobody minds


def test_the_higher_priority_comes_first(connection):
    declare(connection)

    for priority in (0, 9, 3, 6):
        put(connection, str(priority), DOORBELL.name, priority=priority)

    assert Reader(connection, DOORBELL).read() == ["9", "6", "3", "0"]


def test_messages_come_in_order_once_and_are_gone_when_acknowledged(connection, other, uri):
    declare(connection)
    for number in range(20):
        put(connection, str(number), DOORBELL.name)

    reader = Reader(connection, DOORBELL)
    assert reader.read() == [str(number) for number in range(20)]
    for message in reader.got:
        message.ack()

    assert take(other, DOORBELL.name) is None
    with redis.Redis.from_url(uri) as client:
        assert not client.exists("unacked", "unacked_index")


def test_no_more_than_the_prefetch_count_is_read_before_an_acknowledgement(connection):
    declare(connection)
    for number in range(5):
        put(connection, str(number), DOORBELL.name)
    reader = Reader(connection, DOORBELL, prefetch=2)

    assert reader.read() == ["0", "1"]
    reader.got[0].ack()
    assert reader.read(seconds=1.2) == ["0", "1", "2"]


def test_many_messages_are_acknowledged_at_once(connection, other, uri):
    declare(connection)
    for number in range(250):
        put(connection, str(number), DOORBELL.name)
    reader = Reader(connection, DOORBELL)
    assert reader.read() == [str(number) for number in range(250)]

    reader.got[199].ack(multiple=True)

    with redis.Redis.from_url(uri) as client:
        assert client.hlen("unacked") == client.zcard("unacked_index") == 50
    for message in reader.got[200:]:
        message.ack()
    assert take(other, DOORBELL.name) is None


def test_what_was_fetched_and_not_delivered_is_given_back(connection, other):
    declare(connection)
    for number in range(5):
        put(connection, str(number), DOORBELL.name)

    def fail_at_the_second(message):
        message.ack()
        assert message.payload != "1"

    Consumer(connection.channel(), [DOORBELL], on_message=fail_at_the_second, auto_declare=False).consume()
    with pytest.raises(AssertionError):
        connection.drain_events(timeout=5)

    assert [take(other, DOORBELL.name).payload for _ in range(3)] == ["2", "3", "4"]


def test_a_reader_that_needs_no_acknowledgements_leaves_none_open(connection, uri):
    declare(connection)
    for number in range(5):
        put(connection, str(number), DOORBELL.name)
    got = []

    Consumer(connection.channel(), [DOORBELL], on_message=got.append, auto_declare=False).consume(no_ack=True)
    connection.drain_events(timeout=5)
    until(lambda: len(got) == 5 or connection.drain_events(timeout=5), 10, "five messages")

    with redis.Redis.from_url(uri) as client:
        assert not client.exists("unacked", "unacked_index")


def test_a_message_given_back_comes_again_and_a_rejected_one_does_not(connection, other):
    declare(connection)
    put(connection, "back", DOORBELL.name)
    put(connection, "away", DOORBELL.name)

    take(connection, DOORBELL.name).requeue()
    first, second = take(other, DOORBELL.name), take(other, DOORBELL.name)
    assert {first.payload, second.payload} == {"back", "away"}
    for message in (first, second):
        message.reject()

    assert take(connection, DOORBELL.name) is None


def test_what_a_reader_left_unacknowledged_comes_again_when_it_closes(connection, uri):
    declare(connection)
    put(connection, "x", DOORBELL.name)

    with open_connection(uri) as leaving:
        assert take(leaving, DOORBELL.name).payload == "x"

    assert take(connection, DOORBELL.name).payload == "x"


def test_what_a_reader_that_died_left_comes_again(uri):
    soon = {"visibility_timeout": 0.5, "unacked_restore_throttle": 1}
    with open_connection(uri) as died, Connection(uri, transport_options=soon) as alive:
        declare(died)
        put(died, "x", DOORBELL.name)
        assert take(died, DOORBELL.name).payload == "x"

        reader = Reader(alive, DOORBELL)
        until(lambda: reader.read() == ["x"], 10, "the message again")


def test_a_reply_nobody_fetches_expires(connection, uri):
    queue = Queue("callers.queue", TOPIC, routing_key="caller")(connection.default_channel)
    queue.declare()

    put(connection, "late", "caller", exchange=TOPIC.name, correlation_id="1")

    with redis.Redis.from_url(uri) as client:
        assert 0 < client.pttl(next(client.scan_iter("callers.queue*"))) <= REPLY_MS


def test_a_reply_queue_goes_with_its_reader(connection, uri):
    with open_connection(uri) as caller:
        queue = Queue("reply", TOPIC, routing_key="reply", queue_arguments={"x-expires": 300_000})
        Consumer(caller.default_channel, [queue], on_message=print).consume()
        assert connection.default_channel.get_table(TOPIC.name)

    assert connection.default_channel.get_table(TOPIC.name) == []


NO_MESSAGES = [
    b"",
    b"\xff\xfe",
    b"{",
    b"7",
    b"[]",
    b"{}",
    b'{"properties": 5}',
    b'{"body": "!!!", "properties": {"delivery_tag": "t", "body_encoding": "base64", "delivery_info": {}}}',
    b'{"body": 5, "properties": {"delivery_tag": "t", "body_encoding": "x", "delivery_info": {"exchange": ""}}}',
    b'{"properties": {"delivery_tag": "t"}, "headers": 7}',
    b'{"__type__": "evil", "__value__": 1}',
    b"[" * 200_000,
]


def test_bytes_that_are_no_message_are_dropped_and_the_next_one_is_read(connection, uri, caplog):
    declare(connection)
    with redis.Redis.from_url(uri) as client:
        for item in NO_MESSAGES:
            client.lpush(DOORBELL.name + "\x06\x169", item)
    put(connection, "good", DOORBELL.name)

    assert Reader(connection, DOORBELL).read() == ["good"]
    assert [record.action for record in caplog.records if hasattr(record, "action")] == ["garbage_dropped"] * len(
        NO_MESSAGES
    )


class Listening(threading.Thread):
    """A consumer in a plain thread, which connects anew whenever it must."""

    def __init__(self, uri):
        super().__init__(daemon=True)
        self.uri, self.inbox, self.ending = uri, Inbox(), threading.Event()

    def run(self):
        while not self.ending.is_set():
            connection = open_connection(self.uri)
            try:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
                declare(connection)
                Consumer(connection.default_channel, [DOORBELL], on_message=self.hear, auto_declare=False).consume()
                while not self.ending.is_set():
                    try:
                        connection.drain_events(timeout=0.2)
                    except TimeoutError:
                        connection.heartbeat_check()
            except (OperationalError, *connection.connection_errors):
                self.ending.wait(0.1)
            finally:
                connection.collect()

    def hear(self, message):
        message.ack()
        self.inbox.put(message.payload)

    def stop(self):
        self.ending.set()
        self.join(10)
        return not self.is_alive()


@pytest.mark.timeout(120)
def test_a_reader_in_a_thread_hears_again_after_every_restart_of_the_server(valkey, uri):
    listening = Listening(uri)
    listening.start()

    for turn in range(3):
        with open_connection(uri) as connection:
            declare(connection)
            put(connection, str(turn), DOORBELL.name)
        assert listening.inbox.get(timeout=20) == str(turn)
        valkey.restart()

    assert listening.stop()


@pytest.mark.timeout(120)
def test_the_queue_and_its_bindings_are_there_after_a_restart(valkey, uri):
    with open_connection(uri) as connection:
        Queue("q", TOPIC, routing_key="a.*")(connection.default_channel).declare()
        put(connection, "kept", "a.b", exchange=TOPIC.name)
        with redis.Redis.from_url(uri) as client:
            client.waitaof(1, 0, 5000)

    valkey.restart()

    with open_connection(uri) as connection:
        assert take(connection, "q", no_ack=True).payload == "kept"
        put(connection, "new", "a.b", exchange=TOPIC.name, mandatory=True)


def test_a_publisher_goes_on_after_a_restart_of_the_server(valkey, connection):
    declare(connection)
    put(connection, "before", DOORBELL.name)
    valkey.restart()

    put(connection, "after", DOORBELL.name, retry=True, retry_policy={"max_retries": 3})

    assert [take(connection, DOORBELL.name).payload for _ in range(2)] == ["before", "after"]


PATCHED = """
import warnings; warnings.simplefilter("ignore")
import eventlet; eventlet.monkey_patch()
import sys
from kombu import Consumer
from errand.broker.connection import declare, open_connection
from errand.topology import COMPUTE, doorbell_queue

heard = eventlet.Queue()

def hear(message):
    message.ack()
    heard.put(message.payload)

def listen():
    with open_connection(sys.argv[1]) as connection:
        declare(connection)
        Consumer(connection.channel(), [doorbell_queue(COMPUTE)], on_message=hear).consume()
        while True:
            connection.drain_events()

def ring(number):
    with open_connection(sys.argv[1]) as connection:
        producer = connection.Producer(auto_declare=False)
        producer.publish(str(number), routing_key="errand.compute", content_type="text/plain")

eventlet.spawn(listen)
pool = eventlet.GreenPool(40)
list(pool.imap(ring, range(40)))
with eventlet.Timeout(20):
    print(sorted(int(heard.get()) for _ in range(40)) == list(range(40)))
"""


def test_a_monkey_patched_process_reads_and_publishes_in_many_greenthreads(uri):
    done = subprocess.run([sys.executable, "-c", PATCHED, uri], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout == "True\n", done.stderr


def test_messages_are_kombu_s_own(connection, uri):
    put(connection, "x", DOORBELL.name)

    with redis.Redis.from_url(uri) as client:
        raw = json.loads(client.rpop(DOORBELL.name + "\x06\x169"))
    assert raw["content-type"] == "text/plain"
    assert raw["properties"]["delivery_info"] == {"exchange": "", "routing_key": DOORBELL.name}
