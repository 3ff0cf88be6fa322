"""What goes wrong, done to real processes: nothing accepted is lost, and nothing is finished twice."""

from tests.support.jobs import accept_many
from tests.support.stack import running

BUSY = {"LEASE_SECONDS": "1", "OUTBOX_PATIENCE": "1", "MAIL_ENABLED": "false"}


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


def test_jobs_whose_api_died_before_it_rang_are_run(on_each, tmp_path):
    with running(tmp_path, on_each | BUSY, lambda stack: stack.workers.start()) as stack:
        ids = accept_many(stack.store, 700)

        stack.wait_for_count("succeeded", len(ids))


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
