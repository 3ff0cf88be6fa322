"""The contract of submitting: every option of a job, and what it does."""

from datetime import UTC, datetime, timedelta, timezone

from errand.process.waiting import until
from tests.support.contract import NUMBERS, REFUSED, SUM, a_busy_slot, instant, pointers, problem
from tests.support.stack import Stack, running


def started(stack: Stack, ids: list[str]) -> list[str]:
    """Wait until all have ended, and give them in the order in which they were started."""
    return sorted(ids, key=lambda job_id: stack.finished(job_id)["started_at"])


def test_what_a_client_asks_for_is_kept_with_the_job(shared: Stack) -> None:
    wishes = {
        "email": "name@email.com",
        "timeout": 12.5,
        "max_attempts": 7,
        "priority": "high",
        "tags": ["team:a", "b"],
        "run_at": "2036-01-01T12:00:00+05:30",
        "deadline": "2036-01-02T00:00:00Z",
    }

    answer = shared.post("/jobs", {**SUM, **wishes})

    accepted = answer.json()
    path = f"/jobs/{accepted['id']}"
    assert (answer.status_code, accepted["status"], answer.headers["Location"]) == (202, "accepted", path)
    assert accepted["links"] == {"self": path, "events": f"{path}/events"}
    job = shared.get(path).json()
    assert {**SUM, **job, **{name: wishes[name] for name in ("timeout", "max_attempts", "priority", "tags")}} == job
    assert (job["status"], job["run_at"]) == ("scheduled", "2036-01-01T06:30:00.000Z")
    assert job["deadline"] == "2036-01-02T00:00:00.000Z"
    assert [note["kind"] for note in job["notifications"]] == ["receipt"]
    assert shared.post(f"{path}/cancel").json()["status"] == "cancelled"


def test_a_job_starts_when_its_time_has_come_and_not_before(shared: Stack) -> None:
    soon = datetime.now(timezone(timedelta(hours=-9, minutes=-30))) + timedelta(seconds=1)
    delayed = shared.submit("sum", NUMBERS, delay=1)
    timed = shared.submit("sum", NUMBERS, run_at=soon.isoformat())
    overdue = shared.submit("sum", NUMBERS, run_at="2001-01-01T00:00:00Z")

    assert shared.get(f"/jobs/{delayed}").json()["status"] == "scheduled"
    for job_id in (delayed, timed):
        job = shared.finished(job_id)
        assert (job["status"], job["attempt"]) == ("succeeded", 1)
        assert instant(job["started_at"]) >= instant(job["run_at"])
        assert instant(job["run_at"]) - instant(job["created_at"]) <= timedelta(seconds=1)
    assert instant(shared.finished(overdue)["started_at"]) < instant(shared.finished(delayed)["started_at"])


def test_a_job_nobody_waits_for_any_more_is_not_started(shared: Stack) -> None:
    with a_busy_slot(shared):
        by_seconds = shared.submit("echo", deadline=1)
        by_time = shared.submit("echo", deadline=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())

        for job in (shared.finished(by_seconds), shared.finished(by_time)):
            assert (job["status"], job["error"]["type"]) == ("cancelled", "DeadlinePassed")
            assert (job["attempt"], job["started_at"]) == (0, None)


def test_who_waits_is_served_by_priority_and_then_in_the_order_of_arrival(shared: Stack) -> None:
    # the tenth turn is the one of the job that waited longest, whatever its priority
    shared.store.client.delete(f"{shared.store.keys.prefix}turn:compute.cpu")
    with a_busy_slot(shared):
        names = ["low", "normal", "low", "high", "normal"]
        ids = [shared.submit("echo", priority=name) for name in names]

        positions = [shared.get(f"/jobs/{job_id}").json()["position"] for job_id in ids]

    assert positions == [3, 1, 4, 0, 2]
    assert [names[ids.index(job_id)] for job_id in started(shared, ids)] == ["high", "normal", "normal", "low", "low"]
    assert started(shared, ids)[1::2] == [ids[1], ids[0]]


def test_a_low_job_is_not_left_waiting_for_ever(shared: Stack) -> None:
    with a_busy_slot(shared):
        low = shared.submit("echo", priority="low")
        high = [shared.submit("echo", priority="high") for _ in range(12)]

    assert started(shared, [low, *high]).index(low) < 10


def test_a_high_job_overtakes_ten_thousand_low_ones(env, valkey, tmp_path) -> None:
    settings = {"AMQP_URI": valkey.fresh_url(), "OPERATIONS": "tests.support.operations", "CPU_SLOTS": "1"}
    with running(tmp_path, {**env, **settings}) as stack:
        until(lambda: "echo" in stack.store.catalogue(), 20, "the catalogue")
        with a_busy_slot(stack):
            for _ in range(10):
                rows = [{"operation": "echo", "arguments": {}, "priority": "low"}] * 1000
                assert stack.post("/jobs/batch", {"jobs": rows}).json()["accepted"] == 1000
            high = stack.submit("echo", priority="high")

        stack.finished(high)

        assert stack.count("accepted") > 9_000


def test_who_prefers_to_wait_gets_the_finished_job_or_an_id(shared: Stack) -> None:
    with a_busy_slot(shared):
        quick = shared.post("/jobs", SUM, headers={"Prefer": "wait=100"})
        slow = shared.post("/jobs", {"operation": "echo", "arguments": {"value": 7}}, headers={"Prefer": "wait=1"})
        path = slow.headers["Location"]
        still = shared.get(path, headers={"Prefer": "respond-async, wait=0"})
    late = shared.get(path, headers={"Prefer": "wait=20"})

    assert (quick.status_code, quick.json()["result"], quick.headers["Preference-Applied"]) == (200, 40, "wait=30")
    assert quick.headers["Location"] == f"/jobs/{quick.json()['id']}"
    assert (slow.status_code, slow.json()["status"], slow.headers["Preference-Applied"]) == (202, "accepted", "wait=1")
    assert (still.status_code, still.json()["status"], still.headers["Preference-Applied"]) == (
        200,
        "accepted",
        "wait=0",
    )
    assert int(still.headers["Retry-After"]) >= 1
    assert (late.json()["status"], late.json()["result"]) == ("succeeded", 7)
    assert (late.headers["Preference-Applied"], "Retry-After" in late.headers) == ("wait=20", False)


def test_an_operation_is_run_at_a_path_of_its_own(shared: Stack) -> None:
    answer = shared.post("/operations/sum", {"arguments": NUMBERS, "tags": ["own-path"]})
    refused = shared.post("/operations/sum", {"arguments": {"value": 1}})
    renamed = shared.post("/operations/sum", {"operation": "mul", "arguments": NUMBERS})

    assert (answer.status_code, answer.headers["Location"]) == (202, f"/jobs/{answer.json()['id']}")
    job = shared.finished(answer.json()["id"])
    assert (job["operation"], job["result"], job["tags"]) == ("sum", 40, ["own-path"])
    assert pointers(problem(refused, 422, REFUSED)) == ["/arguments/other"]
    assert pointers(problem(renamed, 422, REFUSED)) == ["/operation"]
    problem(shared.post("/operations/nothing", {"arguments": {}}), 404, "urn:errand:operation-unknown")
