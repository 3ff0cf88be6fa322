"""Garbage on every queue: no process goes down, no job is lost, nothing stays behind, and memory stays small."""

import re
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from nameko.standalone.rpc import ClusterRpcProxy

from errand.broker.connection import declare, open_connection
from errand.broker.embedded.channel import DECLARED
from errand.process.waiting import until
from errand.topology import DOORBELLS, JOB_FINISHED, doorbell_name, events_exchange
from schemas.operations import COMPUTE, Weight, queue_of
from tests.support.elsewhere import SERVICE
from tests.support.garbage import BOMB, TEN_MB, garbage, throw
from tests.support.load import Load
from tests.support.stack import running

ELSEWHERE = [queue_of(SERVICE, weight) for weight in Weight]
QUEUES = [*map(doorbell_name, (*DOORBELLS, *ELSEWHERE)), "rpc-compute", "rpc-mail"]
DOORS = [
    *(("", queue) for queue in QUEUES),
    (events_exchange(COMPUTE).name, JOB_FINISHED),
    ("nameko-rpc", "compute.compute"),
    ("nameko-rpc", "mail.send"),
    ("nameko-rpc", "mail.nobody"),
]
"""Where messages come in: each queue by its name, and the exchanges."""
AHEAD = 12
"""Messages of 10 MB in a row on one queue: a worker would fetch all of them, and each is long enough to be seen."""
MOST_MORE_MB = 100
"""How much more memory a worker may ever have taken than before."""


@contextmanager
def held(worker):
    """Let the worker hang for the time of a `with`: what is published meanwhile comes all at once."""
    worker.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        worker.process.send_signal(signal.SIGCONT)


def peak_mb(worker):
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


class Lengths:
    """How many messages each queue holds, on either broker."""

    def __init__(self, uri, rabbitmq=None):
        self.uri, self.rabbitmq = uri, rabbitmq

    def all(self):
        if self.rabbitmq:
            return self.rabbitmq.depths(self.uri)
        with redis.Redis.from_url(self.uri) as client:
            names = [name.decode() for name in client.smembers(DECLARED)]
            return {name: client.llen(name) for name in names} | {"unacked": client.hlen("unacked")}

    def wait_until_empty(self):
        until(lambda: not any(self.all().values()), 60, "empty queues", pause=0.5)


@pytest.fixture
def lengths(request, broker_uri):
    return Lengths(broker_uri, request.getfixturevalue("rabbitmq") if broker_uri.startswith("amqp") else None)


def call(uri):
    with ClusterRpcProxy({"AMQP_URI": uri}, timeout=20) as cluster:
        return cluster.compute.compute("sum", 30, 10)


@pytest.mark.timeout(180)
def test_garbage_on_every_queue_takes_no_process_down_and_loses_no_job(on_each, lengths, tmp_path):
    more = {"LEASE_SECONDS": "2", "OPERATIONS": "workers.operations,tests.support.elsewhere"}
    with running(tmp_path, on_each | more) as stack, open_connection(on_each["AMQP_URI"]) as connection:
        declare(connection, ELSEWHERE)
        finished = [stack.compute(), stack.submit("there", {"value": 5})]
        for job_id in finished:
            stack.finished(job_id)
        before, peak = stack.workers.group() + stack.api.group(), peak_mb(stack.workers)

        with Load(stack, clients=2) as load:
            # a quarter of an hour of garbage at once
            with held(stack.workers):
                for door in DOORS:
                    for message in garbage(4, finished):
                        throw(connection, door, message)
                for queue in (doorbell_name(COMPUTE), "rpc-compute"):
                    for _ in range(AHEAD):
                        throw(connection, ("", queue), {"body": TEN_MB})
                for queue in QUEUES:
                    throw(connection, ("", queue), {"body": TEN_MB})
                    throw(connection, ("", queue), BOMB)
            load.goes_on(50)
        elsewhere = stack.submit("there", {"value": 6})

        assert stack.finished(elsewhere)["result"] == 6
        stack.wait_for_count("succeeded", len(load.statuses) + 3)
        assert set(load.statuses) == {202}
        assert call(on_each["AMQP_URI"]) == 40
        lengths.wait_until_empty()
        mine = {name for name in lengths.all() if name.startswith(("errand.", "rpc-"))}
        assert mine == set(QUEUES), "a queue that this test doesn't know"
        assert set(before) <= set(stack.workers.group() + stack.api.group())
        assert peak_mb(stack.workers) < peak + MOST_MORE_MB
        assert "reader_fault" not in stack.workers.output()
        assert "Traceback" not in stack.workers.output()
