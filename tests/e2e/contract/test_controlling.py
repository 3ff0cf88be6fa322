"""What a client may do to a job, and how long and how large a job may be, in real child processes."""

from errand.embedded.wait import until
from tests.support.contract import burning
from tests.support.processes import alive


def test_cancelling_a_running_job_stops_its_process(shared):
    job_id, child = burning(shared)

    answer = shared.post(f"/jobs/{job_id}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    until(lambda: not alive([child]), 2, "its process is gone")
    until(lambda: shared.status(job_id) == "cancelled", 2, "cancelled")
    job = shared.get(f"/jobs/{job_id}").json()
    assert (job["error"]["type"], job["attempt"]) == ("Cancelled", 1)
    assert shared.post(f"/jobs/{job_id}/cancel").status_code == 409


def test_a_cancelled_job_runs_again_by_hand(shared):
    job_id = shared.post("/jobs", {"operation": "echo", "arguments": {"value": 7}, "delay": 3600}).json()["id"]
    assert shared.status(job_id) == "scheduled"
    assert shared.post(f"/jobs/{job_id}/retry").status_code == 409
    assert shared.post(f"/jobs/{job_id}/cancel").json()["status"] == "cancelled"

    answer = shared.post(f"/jobs/{job_id}/retry")

    assert answer.status_code == 202
    job = shared.finished(job_id)
    assert (job["status"], job["result"], job["attempt"]) == ("succeeded", 7, 1)


def test_a_job_is_removed_when_it_has_ended(shared):
    job_id, _ = burning(shared)
    assert shared.delete(f"/jobs/{job_id}").status_code == 409
    shared.post(f"/jobs/{job_id}/cancel")
    shared.finished(job_id)

    assert shared.delete(f"/jobs/{job_id}").status_code == 204

    assert shared.get(f"/jobs/{job_id}").status_code == 404
    assert shared.delete(f"/jobs/{job_id}").status_code == 404


def test_a_timeout_ends_a_job_that_ignores_signals(shared):
    job_id, child = burning(shared, timeout=1)

    job = shared.finished(job_id)

    assert (job["status"], job["attempt"]) == ("failed", 1)
    assert job["error"] == {"type": "TimedOut", "message": "took longer than its timeout of 1 s"}
    assert not alive([child])


def test_a_child_that_dies_fails_the_attempt_and_harms_nothing_else(shared):
    neighbour = shared.submit("rest", {"seconds": 1, "name": "neighbour"})
    dead = shared.submit("segfault", max_attempts=1)
    left = shared.submit("exits", {"status": 3}, max_attempts=1)

    assert shared.finished(dead)["error"] == {
        "type": "ChildDied",
        "message": "its process ended by signal 11 (SIGSEGV)",
    }
    assert shared.finished(left)["error"] == {"type": "ChildDied", "message": "its process exited with status 3"}
    assert shared.finished(neighbour)["status"] == "succeeded"
    assert shared.finished(shared.compute())["result"] == 40


def test_a_job_that_eats_memory_is_stopped_at_its_limit(shared):
    job = shared.finished(shared.submit("eat_a_little_limited", max_attempts=1))

    assert job["error"] == {"type": "MemoryExceeded", "message": "used more than its memory limit of 64 MB"}


def test_what_an_operation_says_is_the_jobs_log_and_its_progress(shared):
    job_id = shared.submit("report", {"times": 4})
    shared.finished(job_id)
    talk = shared.submit("talk")
    shared.finished(talk)

    assert shared.get(f"/jobs/{job_id}").json()["progress"]["progress"] == 1
    log = shared.get(f"/jobs/{talk}/log")
    assert log.headers["Content-Type"].startswith("text/plain")
    for words in ("printed", "logged with care", "complained", "from C"):
        assert words in log.text, shared.workers.tail()


def test_an_error_that_may_pass_is_tried_again_and_at_last_fails(shared):
    job_id = shared.submit("fails", {"kind": "connection"}, max_attempts=2)

    until(lambda: shared.status(job_id) == "retrying", 20, "retrying")
    assert shared.get(f"/jobs/{job_id}").json()["error"]["type"] == "ConnectionResetError"
    job = shared.finished(job_id)

    assert (job["status"], job["attempt"]) == ("failed", 2)


def test_a_burst_of_heavy_jobs_does_not_hold_up_tiny_ones(shared):
    heavy = [shared.submit("dawdle") for _ in range(4)]
    until(lambda: [shared.status(each) for each in heavy].count("running") == 1, 20, "the only slot is taken")

    assert shared.finished(shared.compute(), within=10)["result"] == 40

    assert sorted(shared.status(each) for each in heavy) == ["accepted"] * 3 + ["running"], (
        "no more than there are slots"
    )
    for each in heavy:
        shared.post(f"/jobs/{each}/cancel")
    for each in heavy:
        assert shared.finished(each)["status"] == "cancelled"
