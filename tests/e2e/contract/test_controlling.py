"""What a client may do to a job, and how long and how large a job may be, in real child processes."""

from errand.process.waiting import until
from tests.support.contract import REFUSED, burning, pointers, problem
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


def test_a_failed_job_is_replayed_with_other_arguments_and_its_replay_names_it(shared):
    origin = shared.submit("div", {"value": 30, "other": 0}, tags=["replay:one"], priority="high", timeout=20)
    assert shared.finished(origin)["status"] == "failed"
    wrong = shared.post(f"/jobs/{origin}/retry", {"arguments": {"divisor": 10}})
    assert pointers(problem(wrong, 422, REFUSED)) == ["/arguments/divisor"]

    answers = [
        shared.post(f"/jobs/{origin}/retry", {"arguments": {"other": 10}}, headers={"Idempotency-Key": f"of-{origin}"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    [job_id] = {answer.json()["id"] for answer in answers}
    assert {answer.headers["Location"] for answer in answers} == {f"/jobs/{job_id}"}
    job = shared.finished(job_id)
    assert (job["status"], job["result"], job["arguments"]) == ("succeeded", 3, {"value": 30, "other": 10})
    assert (job["origin"], job["links"]["origin"]) == (origin, f"/jobs/{origin}")
    assert (job["priority"], job["timeout"], job["tags"]) == ("high", 20, ["replay:one", f"origin:{origin}"])
    assert shared.get(f"/jobs/{origin}").json()["status"] == "failed"
    assert [row["id"] for row in shared.get(f"/jobs?tag=origin:{origin}").json()["jobs"]] == [job_id]
    assert shared.post(f"/jobs/{job_id}/retry", {"arguments": {"value": 50}}).status_code == 202, "it has succeeded"


def test_three_hundred_failed_jobs_run_again_by_one_request_and_no_others(shared):
    failing = {"operation": "div", "arguments": {"value": 30, "other": 0}}
    rows = [{**failing, "tags": ["many:mine"]}] * 300 + [{**failing, "tags": ["many:others"]}] * 3
    ids = [row["id"] for row in shared.post("/jobs/batch", {"jobs": rows}).json()["jobs"]]
    mine, others = ids[:300], ids[300:]
    until(lambda: all_failed(shared, "many:mine", 300) and all_failed(shared, "many:others", 3), 60, "all failed")
    before = [shared.get(f"/jobs/{job_id}").json() for job_id in others]

    told = shared.post("/jobs/retry?operation=div&tag=many:mine").json()

    assert told == {"retried": 300, "jobs": mine, "rejected": [], "next": None}
    # each attempt of a job gets a fence of its own, and so tells how often it was run
    until(lambda: all_failed(shared, "many:mine", 300), 60, "all failed again")
    assert {shared.store.get(job_id).fence for job_id in mine} == {2}
    assert [shared.get(f"/jobs/{job_id}").json() for job_id in others] == before


def test_page_after_page_each_failed_job_is_replayed_once_though_replays_fail_as_well(shared):
    rows = [{"operation": "div", "arguments": {"value": n, "other": 0}, "tags": ["many:pages"]} for n in range(5)]
    ids = [row["id"] for row in shared.post("/jobs/batch", {"jobs": rows}).json()["jobs"]]
    until(lambda: all_failed(shared, "many:pages", 5), 30, "all failed")
    query, replays, pages = "tag=many:pages&limit=2", [], []
    again = {"arguments": {"value": 7}}  # which is no better

    while not pages or pages[-1]:
        cursor = f"&cursor={pages[-1]}" if pages else ""
        told = shared.post(f"/jobs/retry?{query}{cursor}", again).json()
        replays += told["jobs"]
        pages.append(told["next"])
        for job_id in told["jobs"]:
            assert shared.finished(job_id)["status"] == "failed"

    assert len(pages) == 3
    assert [shared.get(f"/jobs/{job_id}").json()["origin"] for job_id in replays] == ids
    assert [shared.get(f"/jobs/{job_id}").json()["replays"] for job_id in ids] == [[each] for each in replays]
    problem(shared.post("/jobs/retry?status=failed"), 400, "urn:errand:parameter-refused")


def test_a_second_request_replays_nothing_that_the_first_has_replayed(shared):
    rows = [{"operation": "div", "arguments": {"value": n, "other": 0}, "tags": ["many:twice"]} for n in range(3)]
    ids = [row["id"] for row in shared.post("/jobs/batch", {"jobs": rows}).json()["jobs"]]
    until(lambda: all_failed(shared, "many:twice", 3), 30, "all failed")
    request = ("/jobs/retry?operation=div&tag=many:twice", {"arguments": {"other": 1}})

    first, second = shared.post(*request).json(), shared.post(*request).json()

    assert (first["retried"], second) == (3, {"retried": 0, "jobs": [], "rejected": [], "next": None})
    assert [shared.finished(job_id)["result"] for job_id in first["jobs"]] == [0, 1, 2]
    assert [shared.get(f"/jobs/{job_id}").json()["replays"] for job_id in ids] == [[each] for each in first["jobs"]]


def all_failed(stack, tag, count):
    """Tell whether so many jobs with this tag have failed."""
    page = stack.store.page(status="failed", tag=tag, limit=1000, fields=())
    return len(page.records) == count


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
