"""Schedules in a real store: each tick starts one job, whoever asks and however often, and nothing due is lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest

from errand.errors import StoreUnavailable
from errand.schedules import CronSchedule, scheduled_job_id
from errand.store import ScheduleDefinition, Store, StoredSchedule
from errand.store.schedules import NEVER
from schemas.operations import Operation
from workers.rescuer.scheduler import fire_due_schedules

HOURLY = {
    "cron": "0 * * * *",
    "timezone": "UTC",
    "operation": "sum",
    "arguments": '{"value":30,"other":10}',
    "queue": "compute",
    "priority": "normal",
    "tags": "[]",
    "overlap": "allow",
}


def put(store: Store, name: str = "hourly", **changes: str) -> tuple[str, StoredSchedule]:
    definition = ScheduleDefinition.read(HOURLY | changes)
    upcoming = CronSchedule.parse(definition.cron, definition.timezone).upcoming(store.now())
    return store.put_schedule(name, definition, upcoming)


def overdue(store: Store, name: str = "hourly", ms: int = 1) -> int:
    """Let a schedule's time have come `ms` ago, without waiting for it; give that time."""
    due = store.now() - ms
    store.client.zadd(store.keys.schedules, {name: due})
    return due


def jobs(store: Store, name: str = "hourly") -> list[dict[str, str]]:
    ids = [row.id for row in store.page(tag=f"schedule:{name}").records]
    return [{"id": job_id, **store.client.hgetall(store.keys.job(job_id))} for job_id in ids]


def next_time(store: Store, name: str = "hourly") -> float:
    return store.client.zscore(store.keys.schedules, name)


def test_a_schedule_that_is_not_due_starts_nothing(store, settings):
    put(store)

    assert fire_due_schedules(store, settings) == []
    assert jobs(store) == []


def test_a_schedule_that_is_due_starts_a_job_and_goes_on_to_its_next_time(store, settings):
    put(store, tags='["nightly"]', email="name@email.com", priority="high", timeout="2.5", max_attempts="7")
    tick = overdue(store)

    started = fire_due_schedules(store, settings)

    [job] = jobs(store)
    assert started == [(job["id"], "compute")] == [(scheduled_job_id("hourly", tick), "compute")]
    assert (job["status"], job["operation"], job["arguments"]) == ("accepted", "sum", HOURLY["arguments"])
    assert (job["schedule"], job["tick"]) == ("hourly", str(tick))
    assert json.loads(job["tags"]) == ["nightly", "schedule:hourly"]
    assert (job["priority"], job["timeout"], job["max_attempts"]) == ("high", "2.5", "7")
    assert json.loads(job["note:mail:receipt"])["state"] == "pending"
    assert store.client.zscore(store.keys.outbox, job["id"]), "the rescuer rings it, should we die now"
    schedule = store.schedule("hourly")
    assert (schedule.last_job, schedule.last_tick) == (job["id"], tick)
    assert next_time(store) == schedule.upcoming[0] > store.now()
    assert fire_due_schedules(store, settings) == []


@pytest.mark.parametrize(("zone", "of_its_job"), [("Asia/Kathmandu", "Asia/Kathmandu"), ("UTC", None)])
def test_the_jobs_of_a_schedule_have_its_time_zone(store, settings, zone, of_its_job):
    put(store, timezone=zone)
    overdue(store)

    [(job_id, _)] = fire_due_schedules(store, settings)

    assert store.get(job_id).timezone == of_its_job


@pytest.mark.parametrize("redis_url", ["valkey", "redis_server"], indirect=True)
def test_of_many_instances_at_once_one_starts_the_job(store, settings):
    instances = [Store.connect(settings) for _ in range(8)]
    names = [f"each-{number}" for number in range(20)]
    for name in names:
        put(store, name)
    rounds = 5
    for _ in range(rounds):
        for number, name in enumerate(names):
            overdue(store, name, 20 + number)
        barrier = Barrier(len(instances))

        def fire(instance, barrier=barrier):
            barrier.wait()
            return fire_due_schedules(instance, settings)

        with ThreadPoolExecutor(len(instances)) as threads:
            rung = [pair for pairs in threads.map(fire, instances) for pair in pairs]
        assert len(rung) == len(set(rung)) == len(names)

    for name in names:
        assert len(jobs(store, name)) == rounds
    for instance in instances:
        instance.client.close()


def test_after_a_long_absence_the_latest_tick_is_run_and_the_others_are_let_go(store, settings):
    put(store, cron="*/10 * * * *")
    overdue(store, ms=86_400_000)

    fire_due_schedules(store, settings)

    [job] = jobs(store)
    latest = int(job["tick"])
    assert latest % 600_000 == 0
    assert 0 <= store.now() - latest <= 600_000
    assert next_time(store) == latest + 600_000


def test_a_tick_whose_job_is_there_already_starts_no_second_one(store, settings):
    put(store)
    tick = overdue(store)
    [started] = fire_due_schedules(store, settings)

    # as if the store's clock had been set back and the tick came again
    store.client.zadd(store.keys.schedules, {"hourly": tick})
    again = fire_due_schedules(store, settings)

    assert again == []
    assert [job["id"] for job in jobs(store)] == [started[0]]
    assert next_time(store) > store.now()


def test_putting_the_same_definition_again_keeps_its_next_time_even_when_that_is_overdue(store, settings):
    assert put(store)[0] == "created"
    due = overdue(store)

    assert put(store)[0] == "kept"
    assert next_time(store) == due
    assert len(fire_due_schedules(store, settings)) == 1

    assert put(store)[0] == "kept"
    assert fire_due_schedules(store, settings) == []


def test_other_arguments_keep_the_next_time_and_what_was(store, settings):
    created = put(store)[1].created_at
    overdue(store, ms=2)  # another tick than the next, even within one millisecond
    fire_due_schedules(store, settings)
    due = overdue(store)

    verdict, schedule = put(store, arguments='{"value":1,"other":2}')

    assert verdict == "replaced"
    assert next_time(store) == due
    assert (schedule.created_at, schedule.last_job) == (created, jobs(store)[0]["id"])
    fire_due_schedules(store, settings)
    assert sorted(job["arguments"] for job in jobs(store)) == ['{"value":1,"other":2}', '{"value":30,"other":10}']


def test_what_a_new_definition_leaves_out_is_gone(store):
    put(store, email="name@email.com", timeout="3")

    definition = put(store)[1].definition

    assert (definition.emails, definition.timeout) == ((), None)


def test_another_rhythm_has_another_next_time(store):
    put(store)

    verdict, schedule = put(store, cron="30 12 * * *", timezone="Europe/Berlin")

    upcoming = CronSchedule.parse("30 12 * * *", "Europe/Berlin").upcoming(store.now())
    assert verdict == "replaced"
    assert list(schedule.upcoming) == upcoming
    assert next_time(store) == upcoming[0]


def test_a_schedule_changed_between_look_and_tick_is_left_to_the_next_round(store, settings):
    put(store)
    overdue(store)

    class Slow(Store):
        def schedule(self, name):
            seen = super().schedule(name)
            put(store, arguments='{"value":1,"other":2}')
            return seen

    slow = Slow.connect(settings)

    assert fire_due_schedules(slow, settings) == []
    assert [job_id for job_id, _ in fire_due_schedules(store, settings)] == [job["id"] for job in jobs(store)]
    assert jobs(store)[0]["arguments"] == '{"value":1,"other":2}'
    slow.client.close()


def test_a_deleted_schedule_starts_nothing_and_its_jobs_stay(store, settings):
    put(store)
    overdue(store)
    fire_due_schedules(store, settings)
    overdue(store)

    assert store.delete_schedule("hourly") == "deleted"
    assert store.delete_schedule("hourly") == "unknown"

    assert fire_due_schedules(store, settings) == []
    assert store.schedule("hourly") is None
    assert len(jobs(store)) == 1


def test_with_overlap_skip_a_tick_is_let_go_while_the_job_before_has_not_ended(store, settings):
    put(store, overlap="skip")
    overdue(store, ms=2)  # another tick than the next, even within one millisecond
    [(first, _)] = fire_due_schedules(store, settings)

    overdue(store)
    assert fire_due_schedules(store, settings) == []
    schedule = store.schedule("hourly")
    assert (schedule.skipped, schedule.last_job) == (1, first)
    assert next_time(store) > store.now()

    store.cancel(first)
    overdue(store)
    assert len(fire_due_schedules(store, settings)) == 1


def test_with_overlap_allow_a_tick_starts_its_job_beside_the_one_before(store, settings):
    put(store)
    for ms in (2, 1):  # two ticks, even within one millisecond
        overdue(store, ms=ms)
        fire_due_schedules(store, settings)

    assert [job["status"] for job in jobs(store)] == ["accepted", "accepted"]


def test_a_job_is_started_as_its_operation_publishes_it_now(store, settings):
    put(store)
    moved = Operation(name="sum", arguments={}, service="heavy", tiny=False, limits={"max_attempts": 9})
    store.publish_catalogue({"sum": moved.model_dump_json()})
    overdue(store)

    assert [queue for _, queue in fire_due_schedules(store, settings)] == ["heavy.cpu"]
    assert jobs(store)[0]["max_attempts"] == "9"


def test_a_deadline_counts_from_the_tick(store, settings):
    put(store, deadline="60.5")
    tick = overdue(store, ms=5000)

    fire_due_schedules(store, settings)

    assert jobs(store)[0]["deadline"] == str(tick + 60_500)


def test_a_schedule_in_a_zone_that_this_machine_does_not_know_stops_no_other(store, settings, caplog):
    put(store, "odd")
    put(store)
    store.client.hset(store.keys.schedule("odd"), "timezone", "Mars/Olympus")
    overdue(store, "odd", 5)
    overdue(store)

    started = fire_due_schedules(store, settings)

    assert len(started) == 1
    assert [record.action for record in caplog.records if hasattr(record, "action")][:1] == ["schedule_unreadable"]


def test_a_schedule_without_a_further_time_is_never_due_again(store, settings):
    put(store)
    overdue(store)
    seen = store.schedule("hourly")
    fire_due_schedules(store, settings)

    store.client.zadd(store.keys.schedules, {"hourly": NEVER})

    assert seen.next != store.schedule("hourly").next == "inf"
    assert fire_due_schedules(store, settings) == []


def test_schedules_are_listed_by_name_and_bounded(store):
    for name in ("b", "a", "c"):
        put(store, name)

    definition, upcoming = ScheduleDefinition.read(HOURLY), [store.now() + 1]
    assert store.put_schedule("d", definition, upcoming, most=3) == ("full", None)
    assert store.put_schedule("c", definition, upcoming, most=3)[0] == "kept"
    assert [schedule.name for schedule in store.schedules()] == ["a", "b", "c"]


def test_the_store_s_clock_decides(store):
    offset = abs(store.now() / 1000 - datetime.now(UTC).timestamp())

    assert offset < 60
    assert store.due_schedules()[0] >= store.now() - 1000


def test_an_unreachable_store_is_said_in_our_own_words(unreachable_store, settings):
    with pytest.raises(StoreUnavailable):
        fire_due_schedules(unreachable_store, settings)
    with pytest.raises(StoreUnavailable):
        unreachable_store.schedules()
