"""A worker or a broker that hangs: jobs are run by others, or without it, all the same, and soon."""

import os
import signal
import socket
import time
from datetime import datetime, timedelta
from itertools import pairwise

from errand.process.waiting import until
from tests.support.forwarder import Forwarder
from tests.support.jobs import new_job
from tests.support.stack import running


def test_doorbells_in_the_hands_of_a_worker_that_hangs_hold_up_no_job(on_rabbitmq, tmp_path):
    settings = {**on_rabbitmq, "MAIL_ENABLED": "false"}
    with running(tmp_path, settings, lambda stack: stack.api.start()) as stack:
        first, second = stack.worker("compute"), stack.worker("mail", "compute")
        rescuer = stack.worker("rescuer")
        try:
            for worker in (first, second, rescuer):
                worker.start()
            stack.finished(stack.compute())

            # every second doorbell rings with one that doesn't hear, and the broker waits for it
            os.kill(first.process.pid, signal.SIGSTOP)
            began = time.monotonic()
            ids = [stack.compute() for _ in range(10)]
            for job_id in ids:
                stack.finished(job_id, within=5)

            assert time.monotonic() - began < 3
        finally:
            os.kill(first.process.pid, signal.SIGCONT)
            for worker in (first, second, rescuer):
                worker.stop()


def test_a_worker_that_was_woken_and_hangs_holds_up_no_job(on_rabbitmq, tmp_path):
    settings = {**on_rabbitmq, "MAIL_ENABLED": "false"}
    with running(tmp_path, settings, lambda stack: stack.api.start()) as stack:
        hanging, other = stack.worker("compute"), stack.worker("compute")
        try:
            hanging.start()
            stack.finished(stack.compute())
            other.start()
            name = f"{socket.gethostname()}:{hanging.process.pid}"
            idle = f"{stack.store.keys.prefix}idle:compute"
            until(lambda: stack.store.client.zcard(idle) == 2, 10, "two workers that have nothing to do")
            os.kill(hanging.process.pid, signal.SIGSTOP)

            waits = []
            for _ in range(6):
                stack.store.client.zadd(idle, {name: 10**15})  # so that it is the one to be woken
                job = stack.finished(stack.compute(), within=5)
                assert not stack.store.client.zscore(idle, name), "it was woken"
                waits.append(datetime.fromisoformat(job["started_at"]) - datetime.fromisoformat(job["created_at"]))

            # the broker gives every second doorbell to the one that hangs; for those the other looks, once a second
            assert sorted(waits)[1] < timedelta(seconds=0.2)
            assert max(waits) < timedelta(seconds=2)
        finally:
            os.kill(hanging.process.pid, signal.SIGCONT)
            for worker in (hanging, other):
                worker.stop()


def test_jobs_are_run_at_once_and_one_after_the_other_while_the_broker_is_away(env, rabbitmq, tmp_path):
    uri = rabbitmq.fresh_uri()
    with running(tmp_path, {**env, "AMQP_URI": uri, "MAIL_ENABLED": "false", "CPU_SLOTS": "1"}) as stack:
        stack.finished(stack.submit("primes", {"n": 10}))
        rabbitmq.stop()
        try:
            sums = [stack.compute() for _ in range(5)]
            assert [stack.finished(job_id, within=5)["result"] for job_id in sums] == [40] * 5

            short = [stack.submit("primes", {"n": 10}) for _ in range(12)]
            ended = [stack.finished(job_id, within=20) for job_id in short]
        finally:
            rabbitmq.start()
            until(rabbitmq.answers, 30, "the broker again")

        starts = sorted(datetime.fromisoformat(job["started_at"]) for job in ended)
        # one look a second with one slot would have a second between all of them
        assert sum(after - before < timedelta(seconds=0.5) for before, after in pairwise(starts)) >= 8


def test_a_hanging_broker_holds_up_no_round(env, rabbitmq, amqp_uri, tmp_path):
    with Forwarder(rabbitmq.port) as door:
        uri = amqp_uri.replace(f":{rabbitmq.port}/", f":{door.port}/")
        settings = {**env, "AMQP_URI": uri, "MAIL_ENABLED": "false", "OUTBOX_PATIENCE": "0.1"}
        with running(tmp_path, settings) as stack:
            stack.finished(stack.compute())
            door.fall_silent()
            # their API died before it rang: now the rescuer does, and is not answered
            stack.store.accept([new_job() for _ in range(5)])

            for delay in (1, 2, 3):
                began = time.monotonic()
                stack.finished(stack.submit("sum", {"value": 30, "other": 10}, delay=delay), within=delay + 6)
                assert time.monotonic() - began < delay + 3
