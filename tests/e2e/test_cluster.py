"""Three nodes of RabbitMQ, and one or all of them gone under load: accepts go on, nothing is lost, and all ends."""

import time
from contextlib import contextmanager

import pytest
from nameko.standalone.rpc import ClusterRpcProxy

from errand.process.waiting import until
from errand.topology import DOORBELLS, doorbell_name
from schemas.operations import COMPUTE
from tests.conftest import missing
from tests.support.cluster import Cluster
from tests.support.load import Load
from tests.support.rabbitmq import Node
from tests.support.stack import running

pytestmark = pytest.mark.timeout(600)  # a busy machine starts three nodes slowly

QUEUES = {*map(doorbell_name, DOORBELLS), "rpc-compute", "rpc-mail"}
SETTINGS = {"LEASE_SECONDS": "2", "OUTBOX_PATIENCE": "1", "MAIL_ENABLED": "false"}
ALL_DOWN_SECONDS, HANGS_SECONDS = 60.0, 10.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Three nodes; a test that takes one away brings it back."""
    if not Node.there():
        missing("RabbitMQ is not installed (apt-get install rabbitmq-server); a container can't be one of three")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()


@contextmanager
def two_workers(cluster, env, folder):
    """Run an API and a worker that ask the first node first, and a worker that asks the second first."""
    with running(folder, {**env, **SETTINGS, "AMQP_URI": cluster.uri()}) as stack:
        second = stack.worker("compute")
        second.env["AMQP_URI"] = cluster.uri(first=2)
        second.start()
        try:
            until(lambda: set(cluster.nodes[0].queues(cluster.uri())) >= QUEUES, 20, "all queues")
            yield stack, [stack.api, stack.workers, second]
        finally:
            second.stop()


def all_end(stack, load, cluster):
    assert set(load.statuses) == {202}
    stack.wait_for_count("succeeded", len(load.statuses))
    assert stack.count("failed") == 0
    until(lambda: stack.store.client.zcard(stack.store.keys.outbox) == 0, 20, "an empty outbox")
    until(lambda: not any(cluster.nodes[0].depths(cluster.uri()).values()), 40, "empty queues", pause=0.5)


def broker(stack):
    return stack.get("/readyz").json()["dependencies"]["broker"]


def call(node):
    """Call by one node, as nameko's shell does."""
    with ClusterRpcProxy({"AMQP_URI": f"amqp://guest:guest@127.0.0.1:{node.port}//"}, timeout=10) as nodes:
        return nodes.compute.compute("sum", 30, 10)


def test_the_node_with_the_leaders_is_killed_and_comes_back(cluster, env, tmp_path):
    with two_workers(cluster, env, tmp_path) as (stack, processes):
        lost = cluster.leader_of(doorbell_name(COMPUTE))
        others = [node for node in cluster.nodes if node is not lost]
        with Load(stack) as load:
            load.goes_on()
            lost.kill()
            try:
                load.goes_on(500)
                until(lambda: broker(stack) == "up", 20, "the API connected to another node")
                assert [call(node) for node in others] == [40, 40]
                load.goes_on()
            finally:
                lost.start()
            until(cluster.is_whole, 30, "all members in step", pause=0.5)
            load.goes_on()

        all_end(stack, load, cluster)
        assert call(lost) == 40
        assert all(process.running for process in processes)


def test_a_node_that_hangs_holds_up_nothing(cluster, env, tmp_path):
    with two_workers(cluster, env, tmp_path) as (stack, processes):
        hanging = cluster.leader_of(doorbell_name(COMPUTE))
        with Load(stack) as load:
            load.goes_on()
            hanging.hold()
            began = time.monotonic()
            try:
                load.goes_on(500)
                ran = stack.count("succeeded")
                until(lambda: stack.count("succeeded") > ran, 10, "jobs that are run meanwhile")
                until(lambda: time.monotonic() - began > HANGS_SECONDS, 20, "the end of it")
            finally:
                hanging.release()
            until(lambda: broker(stack) == "up", 30, "ready again")
            load.goes_on()

        all_end(stack, load, cluster)
        until(cluster.is_whole, 60, "all members in step", pause=0.5)
        assert all(process.running for process in processes)


def test_all_nodes_are_gone_for_a_minute(cluster, env, tmp_path):
    with two_workers(cluster, env, tmp_path) as (stack, processes):
        # some 20 a second
        with Load(stack, clients=2, pause=0.09) as load:
            load.goes_on(50)
            connections = cluster.nodes[0].connections(cluster.uri())
            cluster.kill()
            began = time.monotonic()
            until(lambda: broker(stack) == "down", 20, "degraded")
            ran = stack.count("succeeded")
            load.goes_on(100)
            until(lambda: stack.count("succeeded") > ran + 50, 20, "jobs that are run meanwhile")
            until(lambda: time.monotonic() - began > ALL_DOWN_SECONDS, 90, "the end of it", pause=0.5)
            cluster.start()
            until(lambda: broker(stack) == "up", 20, "ready again")
            load.goes_on(50)

        all_end(stack, load, cluster)
        until(cluster.is_whole, 60, "all members in step", pause=0.5)
        until(lambda: answers_again(cluster), 30, "calls answered by each node")
        assert cluster.nodes[0].connections(cluster.uri()) <= connections + 2
        assert all(process.running for process in processes)
        assert "Traceback" not in "".join(process.output() for process in processes)


def answers_again(cluster):
    return [call(node) for node in cluster.nodes] == [40] * len(cluster.nodes)
