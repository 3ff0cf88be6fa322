"""A worker that hangs keeps what the broker gave it; the jobs are run by others all the same, and soon."""

import os
import signal
import time

from errand.embedded.wait import until
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


def test_jobs_are_run_while_the_broker_is_away(env, rabbitmq, tmp_path):
    uri = rabbitmq.fresh_uri()
    with running(tmp_path, {**env, "AMQP_URI": uri, "MAIL_ENABLED": "false"}) as stack:
        stack.finished(stack.compute())
        rabbitmq.stop()
        try:
            ids = [stack.compute() for _ in range(5)]

            assert [stack.finished(job_id, within=5)["result"] for job_id in ids] == [40] * 5
        finally:
            rabbitmq.start()
            until(rabbitmq.answers, 30, "the broker again")
