"""Recurring jobs, from PUT to the finished job, with every part as a real process and two rescuers at work."""

import requests

from errand.process.waiting import until

SCHEDULE = {
    "cron": "0 0 1 1 *",
    "timezone": "Europe/Berlin",
    "operation": "sum",
    "arguments": {"value": 30, "other": 10},
}


def runs(stack, name):
    return stack.get(f"/jobs?tag=schedule:{name}").json()["jobs"]


def tick(stack, name):
    """Let the schedule's next time have come just now, without waiting for it."""
    stack.store.client.zadd(stack.store.keys.schedules, {name: stack.store.now() - 1})


def test_a_schedule_runs_one_job_for_each_of_its_times_and_none_after_it_is_deleted(stack):
    second = stack.worker("rescuer")
    try:
        second.start()
        until(lambda: stack.get("/operations/sum").ok, 20, "the operation")
        stored = requests.put(f"{stack.url}/schedules/yearly", json=SCHEDULE, timeout=30)
        assert stored.status_code == 201, stored.text
        assert stored.json()["next_local"][0].endswith("-01-01T00:00:00+01:00")

        for count in (1, 2):
            tick(stack, "yearly")
            until(lambda count=count: len(runs(stack, "yearly")) == count, 20, f"job {count}")
            job = stack.finished(runs(stack, "yearly")[0]["id"])
            assert (job["status"], job["result"], job["attempt"]) == ("succeeded", 40, 1)
            assert job["tags"] == ["schedule:yearly"]

        shown = stack.get("/schedules/yearly").json()
        assert shown["last_job"]["id"] == job["id"]
        assert shown["next"] == stored.json()["next"]
        assert stack.get("/schedules").json()["schedules"] == [shown]

        assert requests.delete(f"{stack.url}/schedules/yearly", timeout=30).status_code == 204
        assert stack.get("/schedules/yearly").status_code == 404
        assert len(runs(stack, "yearly")) == 2
    finally:
        second.stop()
