"""The rpc entrypoint on both brokers: nameko's clients get their answers, and nothing takes the service down.

The service is `tests/support/rpc_service.py` in a process of its own; this process is not monkey-patched.
"""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from kombu import Queue
from kombu.exceptions import ChannelError, OperationalError
from nameko.exceptions import (
    IncorrectSignature,
    MethodNotFound,
    RemoteError,
    RpcTimeout,
    UnknownService,
)
from nameko.rpc import get_rpc_exchange
from nameko.standalone.events import event_dispatcher
from nameko.standalone.rpc import ClusterRpcProxy

from errand.broker.connection import open_connection
from errand.process.waiting import until
from tests.support.ports import LOCALHOST, free_port
from tests.support.processes import ROOT, Running

QUEUE = "rpc-testbed"
GOOD = '{"args": [1, 2], "kwargs": {}}'


def service_on(uri, tmp_path, name="testbed"):
    service = Running.module("tests.support.rpc_service", uri, name, log=tmp_path / f"{name}.log")
    service.ready = lambda: "action=listening" in service.output()
    return service


@pytest.fixture
def service(broker_uri, tmp_path):
    running = service_on(broker_uri, tmp_path).start()
    yield running
    running.kill9()


@pytest.fixture
def listener(broker_uri, tmp_path):
    """A service that hears events, as its callers see it."""
    running = service_on(broker_uri, tmp_path, "listener").start()
    with caller(broker_uri, "listener") as listener:
        yield listener
    running.kill9()


@contextmanager
def caller(uri, name="testbed", timeout=10):
    open_connection(uri)  # installs the embedded broker where it is one
    with ClusterRpcProxy({"AMQP_URI": uri}, timeout=timeout) as cluster:
        yield cluster[name]


@pytest.fixture
def testbed(service, broker_uri):
    with caller(broker_uri) as testbed:
        yield testbed


@pytest.fixture
def wire(service, broker_uri):
    """A connection of the test's own, to put anything on the queue and to read replies."""
    with open_connection(broker_uri) as connection:
        yield Wire(connection)


class Wire:
    def __init__(self, connection):
        self.connection = connection
        self.exchange = get_rpc_exchange({})
        self.replies = Queue("replies", self.exchange, routing_key="replies")(connection.default_channel)
        self.replies.declare()

    def put(self, body, key="testbed.add", reply_to="replies", content_type="application/json", **properties):
        if reply_to is not None:
            properties["reply_to"] = reply_to
        self.connection.Producer().publish(
            body,
            exchange=self.exchange,
            routing_key=key,
            content_type=content_type,
            content_encoding=properties.pop("content_encoding", "utf-8"),
            **properties,
        )

    def reply(self):
        """Give the correlation id and the body of the next reply."""
        message = until(lambda: self.replies.get(no_ack=True), 10, "a reply")
        return message.properties.get("correlation_id"), message.payload


def test_a_call_is_answered(testbed):
    assert testbed.add(1, 2) == 3
    assert testbed.add(left="a", right="b") == "ab"


def test_calls_at_once_run_at_once(testbed):
    # each waits in the service until all five are there
    replies = [testbed.gather.call_async(5) for _ in range(5)]

    assert [reply.result() for reply in replies] == [5] * 5


def test_a_method_nobody_has_is_an_error(testbed):
    with pytest.raises(MethodNotFound, match="nope"):
        testbed.nope()


def test_a_service_nobody_has_is_an_error(service, broker_uri):
    with ClusterRpcProxy({"AMQP_URI": broker_uri}, timeout=5) as cluster, pytest.raises(UnknownService):
        cluster.nobody.add(1, 2)


def test_wrong_arguments_are_an_error(testbed):
    with pytest.raises(IncorrectSignature, match="right"):
        testbed.add(1)


@pytest.mark.parametrize(
    ("method", "type_", "text"),
    [
        ("refuse", "JobRefused", "value: give a number"),
        ("look_up", "KeyError", "colour"),
        ("break_down", "CallFailed", "the worker's log says why"),
        ("unserialisable", "ResultUnserialisable", "can't be sent as JSON"),
    ],
)
def test_a_caller_is_told_what_is_meant_for_it_and_no_more(testbed, method, type_, text):
    with pytest.raises(RemoteError) as caught:
        getattr(testbed, method)()

    assert caught.value.exc_type == type_
    assert text in str(caught.value)
    assert "swordfish" not in str(caught.value)


def test_an_event_reaches_its_handler(listener, broker_uri):
    event_dispatcher({"AMQP_URI": broker_uri})("source", "ping", {"id": "7"})

    until(lambda: listener.heard() == [{"id": "7"}], 10, "the event")


GARBAGE = {
    "no reply_to": (GOOD, {"reply_to": None}),
    "no JSON": ("{{{{", {}),
    "not even text": (b"\xff\xfe\x00", {"content_encoding": "binary"}),
    "nothing": ("", {}),
    "no object": ("[]", {}),
    "neither args nor kwargs": ('{"hello": 1}', {}),
    "arguments of the wrong kind": ('{"args": "ab", "kwargs": []}', {}),
    "an unknown type": ('{"args": [{"__type__": "evil", "__value__": 1}, 2], "kwargs": {}}', {}),
    "a type that can't be read": ('{"args": [{"__type__": "datetime", "__value__": "x"}, 2], "kwargs": {}}', {}),
    "a type that can't be a type": ('{"args": [{"__type__": [], "__value__": "x"}, 2], "kwargs": {}}', {}),
    "too deep": ("[" * 200_000, {}),
    "10 MB": ('{"args": ["' + "x" * 10_000_000 + '", "y"], "kwargs": {}}', {}),
    "a strange content type": (GOOD, {"content_type": "application/x-sausage"}),
    "pickle": (b"cos\nsystem\n(S'true'\ntR.", {"content_type": "application/x-python-serialize"}),
    "a compression that isn't one": (GOOD, {"headers": {"compression": "application/x-gzip"}}),
    "a method with a strange name": (GOOD, {"key": "testbed.__init__"}),
}


@pytest.mark.timeout(120)
def test_garbage_is_thrown_away_or_answered_and_the_next_call_is_answered(wire, testbed, service):
    before = testbed.pid()

    for what, (body, properties) in GARBAGE.items():
        wire.put(body, correlation_id=what, **properties)

    answers = dict(wire.reply() for _ in range(len(GARBAGE) - 1))
    assert set(answers) == set(GARBAGE) - {"no reply_to"}
    errors = {what: (answer["error"] or {}).get("exc_type") for what, answer in answers.items()}
    assert errors.pop("a method with a strange name") == "MethodNotFound"
    assert set(errors.values()) == {"MalformedRequest"}
    assert testbed.add(1, 2) == 3
    assert testbed.pid() == before
    assert service.output().count("action=call_refused") == len(GARBAGE) - 1
    assert service.output().count("action=garbage_dropped") == 1


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {"nameko.call_id_stack": 5},
        {"nameko.call_id_stack": [1, None]},
        {"nameko.call_id_stack": "abc", "x": None},
    ],
)
def test_headers_may_hold_anything(wire, testbed, headers):
    wire.put(GOOD, headers=headers)

    assert wire.reply() == (None, {"result": 3, "error": None})
    assert testbed.add(1, 2) == 3


def test_no_message_stays_behind(wire, testbed):
    for body, properties in list(GARBAGE.values())[:8]:
        wire.put(body, **properties)
    assert testbed.add(1, 2) == 3

    with wire.connection.channel() as channel:
        until(lambda: channel.queue_declare(QUEUE, passive=True).message_count == 0, 10, "an empty queue")


def test_a_stopping_service_answers_the_call_at_hand(testbed, service):
    reply = testbed.nap.call_async(0.5)
    assert testbed.add(1, 2) == 3  # the nap has begun

    status = service.stop()

    assert reply.result() == 0.5
    assert status == 0


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_a_service_that_never_found_its_broker_can_be_stopped(tmp_path, scheme):
    service = service_on(f"{scheme}://{LOCALHOST}:{free_port()}/1", tmp_path)
    service.ready = lambda: "action=broker_lost" in service.output()
    service.start()

    started = time.monotonic()

    assert service.stop() == 0
    assert time.monotonic() - started < 8
    assert "Traceback" not in service.output()


@pytest.fixture
def server(request, broker_uri):
    """The server behind `broker_uri`, started again after a test that stopped it."""
    return request.getfixturevalue("rabbitmq" if broker_uri.startswith("amqp") else "valkey")


@pytest.mark.timeout(180)
def test_a_broker_that_is_gone_when_a_call_ends_takes_nothing_down(service, server, broker_uri):
    with caller(broker_uri) as testbed:
        before = testbed.pid()
        testbed.nap.call_async(1)
        assert testbed.add(1, 2) == 3  # the nap has begun
        server.stop()
    try:
        until(lambda: "action=reply_dropped" in service.output(), 60, "the reply dropped")
    finally:
        server.start()

    assert until(lambda: call_anew(broker_uri), 60, "an answer") == before
    assert service.running


@pytest.mark.timeout(180)
def test_a_service_whose_broker_is_gone_can_be_stopped(service, server, broker_uri):
    server.stop()
    try:
        until(lambda: "action=broker_lost" in service.output(), 30, "the loss noticed")
        started = time.monotonic()
        status = service.stop()
    finally:
        server.start()

    assert status == 0
    assert time.monotonic() - started < 30


def call_anew(uri):
    try:
        with caller(uri, timeout=5) as testbed:
            return testbed.pid()
    except (OSError, OperationalError, ChannelError, RpcTimeout, UnknownService):
        return None


def shell(command, commands, env=None, cwd=ROOT):
    env = {**os.environ, **(env or {})}
    return subprocess.run(
        command, input=commands, capture_output=True, text=True, timeout=60, env=env, cwd=cwd, check=False
    )


COMMANDS = """
print("sum", n.rpc.testbed.add(30, 10))
print("together", [reply.result() for reply in [n.rpc.testbed.gather.call_async(3) for _ in range(3)]])
n.dispatch_event("source", "ping", "from the shell")
n.rpc.testbed.refuse()
"""


def test_nameko_s_own_shell_calls_the_service(service, listener, broker_uri, tmp_path):
    program = "import sys; from nameko.cli.main import main; sys.argv[0] = 'nameko'; main()"

    # in another folder: nothing of ours is loaded there
    done = shell([sys.executable, "-c", program, "shell", "--broker", broker_uri], COMMANDS, cwd=tmp_path)

    assert "sum 40" in done.stdout
    assert "together [3, 3, 3]" in done.stdout
    assert "RemoteError: JobRefused value: give a number" in done.stderr
    until(lambda: listener.heard() == ["from the shell"], 10, "the event")


def test_our_shell_calls_the_service_and_shows_the_calls(service, listener, broker_uri):
    done = shell([sys.executable, "-m", "workers.shell"], COMMANDS, env={"AMQP_URI": broker_uri})

    assert "sum 40" in done.stdout
    assert "together [3, 3, 3]" in done.stdout
    assert "RemoteError: JobRefused value: give a number" in done.stderr
    assert """n.rpc.compute.compute('sum', 30, 10, "name@email.com")""" in done.stderr
    assert """n.rpc.mail.send("name@email.com", "testing", "Just testing")""" in done.stderr
    assert "deprecated" not in done.stderr
    until(lambda: listener.heard() == ["from the shell"], 10, "the event")


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_our_shell_says_when_the_broker_is_away(scheme):
    broker = f"{scheme}://guest:secret@{LOCALHOST}:{free_port()}/1"

    done = shell([sys.executable, "-m", "workers.shell"], "", env={"AMQP_URI": broker})

    assert done.returncode == 1
    assert done.stderr.startswith("errand: the broker at ")
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr
