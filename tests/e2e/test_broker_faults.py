"""What goes wrong with the broker, done to a real one: accepts go on, and what was accepted is run."""

import time
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
from kombu import Connection, Queue
from nameko.rpc import get_rpc_exchange
from nameko.standalone.rpc import ClusterRpcProxy

from errand.process.waiting import until
from errand.topology import DOORBELLS, QUORUM, doorbell_name
from schemas.operations import COMPUTE
from tests.support import valkey as valkeys
from tests.support.jobs import accept_many
from tests.support.load import Load
from tests.support.ports import free_port
from tests.support.stack import running

ONE_ATTEMPT = {"MAX_ATTEMPTS": "1", "LEASE_SECONDS": "10"}
"""A job that was claimed and not started would fail; a busy machine is no reason to."""
BUSY = {"LEASE_SECONDS": "1", "OUTBOX_PATIENCE": "1", "MAIL_ENABLED": "false"}
DOORBELL_QUEUES = set(map(doorbell_name, DOORBELLS))
CALL_QUEUES = {"rpc-compute", "rpc-mail"}


def ring(connection, ids, queue):
    """Ring doorbells as the relay does, and wait until a worker has them."""
    producer = connection.Producer(auto_declare=False)
    for job_id in ids:
        producer.publish(job_id, routing_key=queue, content_type="text/plain", content_encoding="utf-8")
    waiting = connection.channel()
    until(lambda: waiting.queue_declare(queue, passive=True).message_count == 0, 10, "a worker that has them")


def outbox(stack):
    return stack.store.client.zcard(stack.store.keys.outbox)


def all_end(stack, load, within=60):
    """Have all that was accepted end well, and the outbox empty."""
    assert set(load.statuses) == {202}
    stack.wait_for_count("succeeded", len(load.statuses), within)
    until(lambda: outbox(stack) == 0, 20, "an empty outbox")


def is_degraded(stack):
    return stack.get("/readyz").json()["dependencies"]["broker"] == "down"


def is_ready(stack):
    return stack.get("/readyz").json()["dependencies"]["broker"] == "up"


def call(uri, timeout=10):
    """Call as nameko's shell does."""
    with ClusterRpcProxy({"AMQP_URI": uri}, timeout=timeout) as cluster:
        return cluster.compute.compute("sum", 30, 10)


def answers_calls(uri):
    with suppress(Exception):  # whatever becomes of a call on a broker in trouble
        return call(uri, timeout=3) == 40
    return False


# ---- away ----


def test_an_api_started_without_a_broker_accepts_and_catches_up(env, rabbitmq, tmp_path):
    uri = rabbitmq.fresh_uri()
    rabbitmq.stop()
    try:
        with running(tmp_path, {**env, "AMQP_URI": uri}) as stack:
            job_id = stack.compute(email="name@email.com")
            assert stack.get("/readyz").status_code == 200
            until(lambda: is_degraded(stack), 15, "degraded")

            rabbitmq.start()

            assert stack.finished(job_id, within=40)["result"] == 40
            until(lambda: is_ready(stack), 15, "ready again")
    finally:
        rabbitmq.start()


def test_a_broker_restarted_under_load_costs_no_job_no_attempt_and_no_process(on_rabbitmq, rabbitmq, tmp_path):
    with running(tmp_path, on_rabbitmq | BUSY | ONE_ATTEMPT) as stack:
        with Load(stack) as load:
            load.goes_on()
            rabbitmq.kill()
            load.goes_on()
            rabbitmq.start()
            load.goes_on()

        all_end(stack, load)
        assert set(stack.attempts()) == {1}
        assert stack.api.running
        assert stack.workers.running
        assert rabbitmq.queues(on_rabbitmq["AMQP_URI"]) >= DOORBELL_QUEUES | CALL_QUEUES


def test_a_broker_that_dies_between_a_claim_and_its_acknowledgement_costs_no_attempt(on_rabbitmq, rabbitmq, tmp_path):
    once = on_rabbitmq | BUSY | ONE_ATTEMPT
    with running(tmp_path, once, lambda stack: stack.workers.start()) as stack:
        until(lambda: doorbell_name(COMPUTE) in rabbitmq.queues(once["AMQP_URI"]), 20, "the worker's queue")
        with Connection(once["AMQP_URI"]) as connection:
            ids = accept_many(stack.store, 2000, max_attempts=1)
            stack.store.client.client_pause(2000)  # whoever claims has to wait
            ring(connection, ids[:500], doorbell_name(COMPUTE))
        rabbitmq.kill()
        try:
            stack.wait_for_count("succeeded", len(ids))
        finally:
            rabbitmq.start()

        assert "action=not_settled" in stack.workers.output(), "it died in that moment"
        assert set(stack.attempts()) == {1}


def test_workers_started_before_their_broker_wait_for_it_and_can_be_stopped(env, tmp_path):
    nowhere = {"AMQP_URI": f"amqp://guest:guest@127.0.0.1:{free_port()}//"}
    with running(tmp_path, {**env, **nowhere}, lambda stack: stack.workers.start()) as stack:
        assert stack.workers.stop() == 0


# ---- there, and takes nothing ----


@contextmanager
def alarm(rabbitmq, begin, end):
    rabbitmq.rabbitmqctl(*begin)
    try:
        yield
    finally:
        rabbitmq.rabbitmqctl(*end)


SHORT_OF_MEMORY, MEMORY_AGAIN = ["set_vm_memory_high_watermark", "0.00001"], ["set_vm_memory_high_watermark", "0.4"]
SHORT_OF_DISK, DISK_AGAIN = ["set_disk_free_limit", "mem_relative", "1000.0"], ["set_disk_free_limit", "50MB"]


@pytest.mark.timeout(240)
def test_a_broker_short_of_memory_and_disk_blocks_nobody_and_leaves_nothing_behind(on_rabbitmq, rabbitmq, tmp_path):
    uri = on_rabbitmq["AMQP_URI"]
    with running(tmp_path, on_rabbitmq | BUSY) as stack:
        with Load(stack, clients=2, pause=0.02) as load:
            load.goes_on(50)
            connections = rabbitmq.connections(uri)
            with alarm(rabbitmq, SHORT_OF_DISK, DISK_AGAIN):
                with alarm(rabbitmq, SHORT_OF_MEMORY, MEMORY_AGAIN):
                    until(lambda: is_degraded(stack), 15, "degraded")
                ran = stack.count("succeeded")
                load.goes_on(300)
                until(lambda: stack.count("succeeded") > ran, 15, "jobs that are run meanwhile")
                assert is_degraded(stack)
                blocked = rabbitmq.connections(uri)
            until(lambda: is_ready(stack), 15, "ready again")
            load.goes_on(50)

        all_end(stack, load)
        assert blocked <= connections + 1, "the connection that is blocked is kept, and is the only one"
        assert rabbitmq.connections(uri) <= connections + 1
        assert answers_calls(uri)
        assert "accepts no messages" in stack.api.output()


# ---- there, and something is missing ----


def test_queues_that_were_deleted_or_purged_come_back_by_themselves(on_rabbitmq, rabbitmq, tmp_path):
    uri = on_rabbitmq["AMQP_URI"]
    with running(tmp_path, on_rabbitmq | BUSY) as stack:
        with Load(stack, clients=2, pause=0.02) as load:
            load.goes_on(50)
            with Connection(uri) as connection:
                for queue in DOORBELL_QUEUES | CALL_QUEUES:
                    Queue(queue)(connection.channel()).delete()
                load.goes_on(50)
                until(lambda: rabbitmq.queues(uri) >= DOORBELL_QUEUES | CALL_QUEUES, 15, "all queues again")
                Queue(doorbell_name(COMPUTE))(connection.channel()).purge()
                get_rpc_exchange({})(connection.channel()).delete()
            load.goes_on(50)

        all_end(stack, load)
        rabbitmq.close_connections(uri)  # an exchange that was deleted is declared with the next connection
        until(lambda: answers_calls(uri), 30, "an answered call")
        assert stack.workers.running


def test_a_virtual_host_that_was_deleted_is_filled_again_once_it_is_back(on_rabbitmq, rabbitmq, tmp_path):
    uri = on_rabbitmq["AMQP_URI"]
    vhost = urlsplit(uri).path[1:]
    with running(tmp_path, on_rabbitmq | BUSY) as stack:
        with Load(stack, clients=2, pause=0.02) as load:
            load.goes_on(50)
            rabbitmq.rabbitmqctl("delete_vhost", vhost)
            until(lambda: is_degraded(stack), 15, "degraded")
            load.goes_on(50)
            rabbitmq.rabbitmqctl("add_vhost", vhost)
            # there, but nobody may enter yet
            until(lambda: "refused for user" in refusals(stack.workers), 15, "a line that says why")
            load.goes_on(50)
            rabbitmq.rabbitmqctl("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*")
            until(lambda: is_ready(stack), 15, "ready again")
            load.goes_on(50)

        all_end(stack, load)
        until(lambda: rabbitmq.queues(uri) >= DOORBELL_QUEUES | CALL_QUEUES, 15, "all queues again")
        assert answers_calls(uri)
        assert_calm(stack.api, stack.workers)


def test_who_is_refused_says_so_and_goes_on_once_permission_is_given(env, rabbitmq, tmp_path):
    plain = urlsplit(rabbitmq.fresh_uri())
    uri = urlunsplit(plain._replace(netloc=f"somebody:secret@{plain.hostname}:{plain.port}"))
    with running(tmp_path, {**env, **BUSY, "AMQP_URI": uri}) as stack:
        # wrong credentials
        job_id = stack.compute()
        assert stack.finished(job_id)["result"] == 40, "workers look by themselves"
        for process in (stack.api, stack.workers):
            until(lambda process=process: "Login was refused" in process.output(), 15, "a line that says why")
        # known, but may not enter; then may enter, but not declare
        rabbitmq.rabbitmqctl("add_user", "somebody", "secret")
        until(lambda: "somebody" in refusals(stack.workers), 15, "a line about the virtual host")
        rabbitmq.rabbitmqctl("set_permissions", "-p", plain.path[1:], "somebody", "", "", "")
        until(lambda: "configure" in refusals(stack.workers) or "access to" in refusals(stack.workers), 15, "a line")
        rabbitmq.rabbitmqctl("set_permissions", "-p", plain.path[1:], "somebody", ".*", ".*", ".*")
        until(lambda: is_ready(stack), 15, "ready")

        until(lambda: rabbitmq.queues(uri) >= DOORBELL_QUEUES | CALL_QUEUES, 15, "all queues")
        assert answers_calls(uri)
        assert_calm(stack.api, stack.workers)
        assert "secret" not in stack.api.output() + stack.workers.output()
    rabbitmq.rabbitmqctl("delete_user", "somebody")


def refusals(process):
    return " ".join(line for line in process.output().splitlines() if "action=broker_lost" in line)


def assert_calm(*processes):
    """An outage is told in some lines, not in one for each try, and without tracebacks."""
    for process in processes:
        assert process.running
        assert "Traceback" not in process.output()
        assert process.output().count("action=broker_lost") <= 50


# ---- what it holds got lost ----


def test_jobs_whose_doorbells_were_lost_are_run(on_each, tmp_path):
    with running(tmp_path, on_each | BUSY, lambda stack: stack.workers.start()) as stack:
        ids = accept_many(stack.store, 20)
        # the broker confirmed them, and then lost them all
        stack.store.confirmed(ids)

        stack.wait_for_count("succeeded", len(ids))


def test_a_doorbell_dropped_at_the_delivery_limit_costs_no_job(on_rabbitmq, rabbitmq, tmp_path):
    uri = on_rabbitmq["AMQP_URI"]
    queue = doorbell_name(COMPUTE)
    with running(tmp_path, on_rabbitmq | BUSY, lambda stack: stack.api.start()) as stack:
        job_id = stack.compute()
        until(lambda: queue in rabbitmq.depths(uri), 20, "the queue, which the relay declares in a thread of its own")
        with Connection(uri) as connection:
            waiting = Queue(queue)(connection.channel())
            for _ in range(QUORUM["x-delivery-limit"] + 1):
                until(waiting.get, 10, "the next delivery").requeue()
        until(lambda: rabbitmq.depths(uri)[queue] == 0, 20, "the doorbell dropped")
        stack.workers.start()

        assert stack.finished(job_id, within=10)["result"] == 40


def test_ten_thousand_jobs_leave_nothing_on_the_broker(on_rabbitmq, rabbitmq, tmp_path):
    uri = on_rabbitmq["AMQP_URI"]
    with running(tmp_path, on_rabbitmq | BUSY) as stack:
        with Load(stack, clients=8) as load:
            load.goes_on(10_000, within=110)

        all_end(stack, load)
        # a quorum queue tells its length every few seconds, and a doorbell rung twice is heard after the job has ended
        until(lambda: not any(rabbitmq.depths(uri).values()), 30, "empty queues")
        assert set(rabbitmq.depths(uri)) == DOORBELL_QUEUES | CALL_QUEUES


# ---- calls ----


def test_calls_come_in_quorum_queues(on_rabbitmq, rabbitmq, tmp_path):
    uri = on_rabbitmq["AMQP_URI"]
    with running(tmp_path, on_rabbitmq | BUSY, lambda stack: stack.workers.start()):
        assert until(lambda: answers_calls(uri), 15, "an answered call")

        assert {rabbitmq.queue_types(uri)[queue] for queue in CALL_QUEUES} == {"quorum"}


def test_a_classic_queue_of_an_earlier_release_is_replaced_once_nobody_listens(on_rabbitmq, rabbitmq, tmp_path):
    uri = on_rabbitmq["AMQP_URI"]
    queue = Queue("rpc-compute", get_rpc_exchange({}), "compute.*", durable=True)  # as nameko declares it
    earlier = Connection(uri)
    earlier.Consumer(queue, callbacks=[lambda *_: None]).consume()
    with running(tmp_path, on_rabbitmq | BUSY, lambda stack: stack.workers.start()) as stack:
        # a worker of the earlier release is still there
        until(lambda: "is a classic queue" in stack.workers.output(), 15, "a line that says why it waits")
        assert rabbitmq.queue_types(uri)["rpc-compute"] == "classic"

        earlier.release()

        assert until(lambda: answers_calls(uri), 20, "an answered call")
        assert rabbitmq.queue_types(uri)["rpc-compute"] == "quorum"
        assert "action=queue_replaced" in stack.workers.output()
        assert_calm(stack.workers)


# ---- the log of an outage of the store ----


def test_a_store_that_is_away_costs_a_line_a_second_and_no_traceback(env, amqp_uri, tmp_path):
    (tmp_path / "store").mkdir()
    with valkeys.running(tmp_path / "store") as own:
        there = {**env, **BUSY, "AMQP_URI": amqp_uri, "REDIS_URL": own.url()}
        with running(tmp_path, there) as stack, Connection(amqp_uri) as connection:
            stack.finished(stack.compute())
            own.stop()
            began = time.monotonic()
            for queue in DOORBELL_QUEUES:
                ring(connection, [str(uuid4())], queue)
            until(lambda: stack.workers.output().count("action=expected_fault") >= 3, 20, "three lines")
            seconds = time.monotonic() - began
            own.start()

            stack.finished(stack.compute())
            assert stack.workers.output().count("action=expected_fault") <= seconds + 2
            assert "Traceback" not in stack.workers.output()
