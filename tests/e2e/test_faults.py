"""What goes wrong, done to real processes: nothing accepted is lost, and nothing is finished twice."""

import os
import threading
from uuid import uuid4

import requests
from kombu import Connection

from errand.embedded.wait import until
from errand.store import NewJob
from errand.topology import DOORBELLS, doorbell_name, doorbell_queue
from tests.support import valkey as valkeys
from tests.support.ports import free_port
from tests.support.stack import running

BUSY = {"LEASE_SECONDS": "1", "OUTBOX_PATIENCE": "1", "MAIL_ENABLED": "false"}


def accept(stack, count):
    """Put jobs into the store as an API does that dies before it rings."""
    jobs = [NewJob(str(uuid4()), "sum", '{"value":30,"other":10}') for _ in range(count)]
    stack.store.accept(jobs)
    return [job.id for job in jobs]


def post_in_background(stack, statuses, stop):
    """Post jobs one after the other until told to stop, and keep every status."""

    def post():
        with requests.Session() as session:
            while not stop.is_set():
                answer = session.post(
                    f"{stack.url}/compute", json={"operation": "sum", "value": 1, "other": 2}, timeout=30
                )
                statuses.append(answer.status_code)

    thread = threading.Thread(target=post)
    thread.start()
    return thread


def test_a_killed_worker_loses_no_job_and_finishes_none_twice(on_each, tmp_path):
    with running(tmp_path, on_each | BUSY, lambda stack: stack.api.start()) as stack:
        ids = [stack.compute() for _ in range(1000)]

        # killed while it is at work, again and again, then left alone
        for done in (1, 300, 600):
            stack.workers.start()
            stack.wait_for_count("succeeded", done)
            stack.workers.kill9()
        stack.workers.start()
        stack.wait_for_count("succeeded", len(ids))

        told = stack.store.events_between("0-0", "+", 100_000)
        finals = [event.id for event in told if event.kind == "status" and '"succeeded"' in event.data]
        assert sorted(finals) == sorted(ids), "each job finished exactly once"
        assert stack.count("failed") == stack.count("running") == stack.count("accepted") == 0


def test_an_api_started_without_a_broker_accepts_and_catches_up(env, rabbitmq, tmp_path):
    uri = rabbitmq.fresh_uri()
    rabbitmq.stop()
    try:
        with running(tmp_path, {**env, "AMQP_URI": uri}) as stack:
            job_id = stack.compute(email="name@email.com")
            assert stack.get("/readyz").status_code == 200
            until(lambda: stack.get("/readyz").json()["status"] == "degraded", 15, "degraded")

            rabbitmq.start()

            assert stack.finished(job_id, within=40)["result"] == 40
            until(lambda: stack.get("/readyz").json()["status"] == "ready", 15, "ready again")
    finally:
        rabbitmq.start()


def test_a_broker_restarted_under_load_costs_no_job_and_no_process(on_rabbitmq, rabbitmq, tmp_path):
    with running(tmp_path, on_rabbitmq | BUSY) as stack:
        statuses, stop = [], threading.Event()
        threads = [post_in_background(stack, statuses, stop) for _ in range(4)]
        until(lambda: len(statuses) > 200, 30, "load")

        rabbitmq.stop()
        seen = len(statuses)
        until(lambda: len(statuses) > seen + 200, 30, "load without a broker")
        rabbitmq.start()
        seen = len(statuses)
        until(lambda: len(statuses) > seen + 200, 30, "load with the broker again")
        stop.set()
        for thread in threads:
            thread.join()

        assert set(statuses) == {202}
        stack.wait_for_count("succeeded", len(statuses))
        assert stack.api.running
        assert stack.workers.running
        assert rabbitmq.queues(on_rabbitmq["AMQP_URI"]) >= set(map(doorbell_name, DOORBELLS))


def test_ten_thousand_jobs_leave_nothing_on_the_broker(on_rabbitmq, rabbitmq, tmp_path):
    uri = on_rabbitmq["AMQP_URI"]
    with running(tmp_path, on_rabbitmq | BUSY) as stack:
        stop, statuses = threading.Event(), []
        threads = [post_in_background(stack, statuses, stop) for _ in range(8)]
        until(lambda: len(statuses) >= 10_000, 110, "10,000 answers")
        stop.set()
        for thread in threads:
            thread.join()
        stack.wait_for_count("succeeded", len(statuses))

        # a quorum queue tells its length every few seconds, and a doorbell rung twice is heard after the job has ended
        until(lambda: not any(rabbitmq.depths(uri).values()), 30, "empty queues")

        assert set(statuses) == {202}
        assert set(rabbitmq.depths(uri)) == {*map(doorbell_name, DOORBELLS), "rpc-compute", "rpc-mail"}
        until(lambda: stack.store.client.zcard(stack.store.keys.outbox) == 0, 10, "an empty outbox")


def test_without_the_store_a_post_answers_503_and_stores_nothing(env, valkey, tmp_path):
    (tmp_path / "store").mkdir()
    with valkeys.running(tmp_path / "store") as own:
        broker = {"AMQP_URI": valkey.fresh_url(), "REDIS_URL": own.url()}
        with running(tmp_path, {**env, **broker}, lambda stack: stack.api.start()) as stack:
            kept = stack.compute()
            own.stop()

            refused = stack.post("/compute", {"operation": "sum", "value": 1, "other": 2})
            unready = stack.get("/readyz")
            own.start()
            until(lambda: stack.get("/readyz").ok, 15, "ready again")

            assert refused.status_code == 503
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert int(refused.headers["Retry-After"]) > 0
            assert unready.status_code == 503
            assert stack.get(f"/jobs/{kept}").json()["status"] == "accepted", "it survived the restart"
            assert stack.store.client.zcard(stack.store.keys.jobs) == 1


def test_a_store_restarted_under_load_costs_no_accepted_job(env, amqp_uri, tmp_path):
    (tmp_path / "store").mkdir()
    with (
        valkeys.running(tmp_path / "store") as own,
        running(tmp_path, {**env, **BUSY, "AMQP_URI": amqp_uri, "REDIS_URL": own.url()}) as stack,
    ):
        statuses, stop = [], threading.Event()
        threads = [post_in_background(stack, statuses, stop) for _ in range(4)]
        until(lambda: len(statuses) > 200, 30, "load")
        own.restart()
        until(lambda: statuses[-20:] == [202] * 20, 30, "accepting again")
        stop.set()
        for thread in threads:
            thread.join()

        # a 503 may have been stored, as its answer got lost; a 202 always was
        assert set(statuses) <= {202, 503}
        stack.wait_for_count("succeeded", statuses.count(202))
        assert stack.workers.running


def test_jobs_whose_api_died_before_it_rang_are_run(on_each, tmp_path):
    with running(tmp_path, on_each | BUSY, lambda stack: stack.workers.start()) as stack:
        ids = accept(stack, 700)

        stack.wait_for_count("succeeded", len(ids))


def test_jobs_whose_doorbells_were_lost_are_rung_again(on_each, tmp_path):
    with running(tmp_path, on_each | BUSY, lambda stack: stack.workers.start()) as stack:
        ids = accept(stack, 20)
        # the broker confirmed them, and then lost them all
        stack.store.confirmed(ids)

        stack.wait_for_count("succeeded", len(ids))


def test_garbage_on_the_doorbell_queues_takes_no_worker_down(on_each, tmp_path):
    bodies = [b"", b"\xff\xfe", b"{}", b'{"id": 1}', os.urandom(300), b"x" * 10_000_000, str(uuid4()).encode()]
    types = ["application/json", "text/plain", "application/x-python-serialize", "nonsense"]
    with running(tmp_path, on_each | BUSY) as stack, Connection(on_each["AMQP_URI"]) as connection:
        producer = connection.Producer(auto_declare=False)
        for queue in map(doorbell_queue, DOORBELLS):
            for body in bodies:
                for kind in types:
                    producer.publish(
                        body, routing_key=queue.name, content_type=kind, content_encoding="binary", serializer=None
                    )

        job_id = stack.compute()

        assert stack.finished(job_id)["result"] == 40
        assert stack.workers.running


def test_workers_started_before_their_broker_wait_for_it_and_can_be_stopped(env, tmp_path):
    nowhere = {"AMQP_URI": f"amqp://guest:guest@127.0.0.1:{free_port()}//"}
    with running(tmp_path, {**env, **nowhere}, lambda stack: stack.workers.start()) as stack:
        assert stack.workers.stop() == 0


def test_two_workers_share_the_jobs_and_finish_each_once(on_each, tmp_path):
    with running(tmp_path, on_each | BUSY, lambda stack: stack.api.start()) as stack:
        ids = [stack.compute() for _ in range(500)]
        second = stack.worker("compute")
        try:
            stack.workers.start()
            second.start()
            stack.wait_for_count("succeeded", len(ids))
        finally:
            second.stop()

        assert set(stack.attempts()) == {1}
