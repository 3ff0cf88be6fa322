"""The history of a job's attempts in a real store: it only grows, and costs nothing where the first succeeds."""

import json

import pytest

from errand.presenting.attempts import attempts_of
from errand.settings import Settings
from errand.store import Outcome, Store
from schemas.status import Status
from tests.support.jobs import accepted, claim, claimed, ended, expire, hasten, rescue, succeeded

ERROR = '{"type":"OSError","message":"no \\"way\\"\\n\u00fc"}'
OTHER = '{"type":"ValueError","message":"not this"}'
SLOW = '{"type":"TimedOut","message":"took more than 1 s"}'


def history(store: Store, job_id: str) -> list[tuple[int, str, str | None]]:
    """Return the number, the outcome and the error's type of each attempt."""
    attempts = attempts_of(store.get(job_id))
    return [(each.number, str(each.outcome), each.error and json.loads(each.error)["type"]) for each in attempts]


def run_again(store: Store, job_id: str):
    hasten(store, job_id)
    rescue(store)
    [lease] = claim(store)
    return lease


def test_each_attempt_is_listed_with_its_times_worker_and_error(store):
    first = claimed(store)
    ended(store, first, Status.RETRYING, ERROR, retry_ms=60_000)
    second = run_again(store, first.id)
    assert history(store, first.id) == [(1, "failed", "OSError"), (2, "running", None)]
    succeeded(store, second)

    one, two = attempts_of(store.get(first.id))

    assert (one.number, one.outcome, two.number, two.outcome) == (1, "failed", 2, "succeeded")
    assert json.loads(one.error) == json.loads(ERROR)
    assert two.error is None
    assert one.started_at <= one.ended_at <= two.started_at <= two.ended_at
    assert {one.worker, two.worker} == {"worker"}
    record = store.get(first.id)
    assert (two.started_at, two.ended_at) == (record.started_at, record.finished_at)


def test_a_job_that_succeeds_at_once_stores_no_history_and_has_one_all_the_same(store):
    def commands(status: Status) -> dict[str, int]:
        lease = claimed(store)
        store.client.config_resetstat()
        ended(store, lease, status, ERROR)
        stats = store.client.info("commandstats")
        return {name: row["calls"] for name, row in stats.items() if "evalsha" not in name and "info" not in name}

    lease = claimed(store)
    succeeded(store, lease)

    assert history(store, lease.id) == [(1, "succeeded", None)]
    assert "attempts" not in store.client.hgetall(store.keys.job(lease.id))
    happy, failed = commands(Status.SUCCEEDED), commands(Status.FAILED)
    assert sum(failed.values()) - sum(happy.values()) == 2, "a failed attempt is read and written with one command each"


def test_outcomes_of_a_batch_are_each_added_to_their_own_job(store):
    leases = [claimed(store, max_attempts=2) for _ in range(6)]
    store.cancel(leases[4].id)
    store.cancel(leases[5].id)
    ends = [Status.SUCCEEDED, Status.FAILED, Status.RETRYING, Status.CANCELLED, Status.ACCEPTED, Status.RETRYING]
    payloads = ["40", SLOW, ERROR, OTHER, "null", ERROR]

    store.commit([Outcome(*each, 60_000) for each in zip(leases, ends, payloads, strict=True)])

    assert [history(store, lease.id) for lease in leases] == [
        [(1, "succeeded", None)],
        [(1, "timed_out", "TimedOut")],
        [(1, "failed", "OSError")],
        [(1, "cancelled", "ValueError")],
        [(1, "cancelled", "Cancelled")],
        [(1, "failed", "OSError")],  # that is how it ended, although the job was cancelled then
    ]
    assert store.get(leases[5].id).status == "cancelled"


def test_an_attempt_whose_worker_died_is_listed_and_only_those_are_counted_in_the_error(store):
    first = claimed(store, max_attempts=3)
    ended(store, first, Status.RETRYING, ERROR, retry_ms=60_000)
    for _ in range(2):
        expire(store, run_again(store, first.id))
    rescue(store)

    assert history(store, first.id) == [(1, "failed", "OSError"), (2, "worker_died", None), (3, "worker_died", None)]
    record = store.get(first.id)
    assert (record.status, json.loads(record.error)["message"]) == ("failed", "its worker died 2 times")


def test_a_job_that_was_called_off_and_whose_worker_died_says_both(store):
    lease = claimed(store)
    store.cancel(lease.id)
    expire(store, lease)
    rescue(store)

    assert (store.get(lease.id).status, history(store, lease.id)) == ("cancelled", [(1, "worker_died", None)])


def test_an_attempt_that_was_handed_back_is_not_listed_and_leaves_no_start(store):
    first = claimed(store)
    ended(store, first, Status.ACCEPTED, "null")

    record = store.get(first.id)
    assert (record.attempt, record.started_at, history(store, first.id)) == (0, None, [])
    succeeded(store, claim(store)[0])
    assert history(store, first.id) == [(1, "succeeded", None)]


def test_a_job_that_never_started_has_no_attempts(store):
    job_id = accepted(store)
    store.cancel(job_id)

    assert history(store, job_id) == []


def test_the_same_outcome_sent_twice_is_listed_once(store):
    lease = claimed(store)
    outcome = Outcome(lease, Status.RETRYING, ERROR, 60_000)

    assert [store.commit([outcome])[0].status for _ in range(2)] == ["retrying", "retrying"]

    assert history(store, lease.id) == [(1, "failed", "OSError")]


class TestRunAgainByHand:
    def test_attempts_go_on_counting_and_those_allowed_begin_anew(self, store):
        first = claimed(store, max_attempts=2)
        ended(store, first, Status.RETRYING, ERROR, retry_ms=60_000)
        assert ended(store, run_again(store, first.id), Status.RETRYING, OTHER).status is Status.FAILED

        store.retry(first.id)
        [third] = claim(store)
        assert (third.attempt, third.attempt_of_run, third.max_attempts) == (3, 1, 4)
        assert ended(store, third, Status.RETRYING, ERROR, retry_ms=60_000).status is Status.RETRYING
        fourth = run_again(store, first.id)
        assert fourth.attempt_of_run == 2
        assert ended(store, fourth, Status.RETRYING, SLOW).status is Status.FAILED, "two attempts, as before"

        store.retry_these([first.id])
        [fifth] = claim(store)
        succeeded(store, fifth)

        assert [row[:2] for row in history(store, first.id)] == [
            *((1, "failed"), (2, "failed"), (3, "failed"), (4, "timed_out"), (5, "succeeded")),
        ]
        record = store.get(first.id)
        assert (record.attempt, record.max_attempts, record.attempts_before) == (5, 6, 4)

    def test_deaths_before_are_not_counted_in_the_error(self, store):
        first = claimed(store, max_attempts=2)
        expire(store, first)
        rescue(store)
        expire(store, claim(store)[0])
        rescue(store)
        store.retry(first.id)
        for _ in range(2):
            expire(store, claim(store)[0])
            rescue(store)

        assert json.loads(store.get(first.id).error)["message"] == "its worker died 2 times"
        assert [row[0] for row in history(store, first.id)] == [1, 2, 3, 4]

    def test_a_cancelled_job_that_never_ran_keeps_its_attempts(self, store):
        job_id = accepted(store, max_attempts=2)
        store.cancel(job_id)
        store.retry(job_id)

        [lease] = claim(store)
        assert (lease.attempt, lease.attempt_of_run, lease.max_attempts) == (1, 1, 2)

    def test_events_say_the_number_that_the_job_shows(self, store):
        lease = claimed(store)
        ended(store, lease, Status.FAILED, ERROR)
        before = store.last_event()
        store.retry(lease.id)

        [event] = store.events_between(before, "+", 10)
        assert (json.loads(event.data)["attempt"], store.get(lease.id).attempt) == (1, 1)


class TestEarlierReleases:
    """Records that workers of the release before wrote, who store no history."""

    def failed(self, store, **changes):
        lease = claimed(store)
        ended(store, lease, Status.FAILED, ERROR)
        store.client.hdel(store.keys.job(lease.id), "attempts", *(name for name, text in changes.items() if not text))
        if there := {name: text for name, text in changes.items() if text}:
            store.client.hset(store.keys.job(lease.id), mapping=there)
        return lease.id

    def test_the_last_attempt_is_shown_and_outlives_a_retry(self, store):
        job_id = self.failed(store, attempt="3")
        assert history(store, job_id) == [(3, "failed", "OSError")]

        store.retry(job_id)

        assert history(store, job_id) == [(3, "failed", "OSError")]
        succeeded(store, claim(store)[0])
        assert history(store, job_id) == [(3, "failed", "OSError"), (4, "succeeded", None)]

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"error": '{"type":"WorkerDied","message":"its worker died 3 times"}'}, "worker_died"),
            ({"error": SLOW}, "timed_out"),
            ({"error": "", "finished_at": "", "status": "accepted"}, "worker_died"),
            ({"status": "retrying", "finished_at": "", "run_at": "1"}, "failed"),
            ({"status": "cancelled"}, "cancelled"),
        ],
    )
    def test_what_its_record_says_is_understood(self, store, fields, expected):
        [row] = history(store, self.failed(store, **fields))

        assert row[1] == expected

    def test_a_retry_by_an_api_of_before_makes_a_job_that_can_still_be_run(self, store):
        lease = claimed(store, max_attempts=2)
        ended(store, lease, Status.FAILED, ERROR)
        store.retry(lease.id)
        ended(store, claim(store)[0], Status.FAILED, ERROR)
        store.retry(lease.id)
        store.client.hset(store.keys.job(lease.id), "attempt", "0")  # as it counted

        [again] = claim(store)
        assert (again.attempt, again.attempt_of_run) == (1, 1)
        assert ended(store, again, Status.RETRYING, ERROR, retry_ms=1).status is Status.RETRYING


class TestTracebacks:
    def commit(self, store, lease, traceback, status=Status.FAILED):
        return store.commit([Outcome(lease, status, ERROR, traceback=traceback)])[0]

    def test_they_are_for_operators_and_in_no_record(self, store):
        lease = claimed(store)
        self.commit(store, lease, "Traceback: secret\n  line")

        assert store.tracebacks(lease.id) == {1: "Traceback: secret\n  line"}
        assert "secret" not in repr(store.get(lease.id))
        assert "secret" not in repr(store.client.hgetall(store.keys.job(lease.id)))

    def test_the_end_of_a_long_one_is_kept(self, store):
        lease = claimed(store)
        self.commit(store, lease, "x" * 100_000 + "\u00fc" * 10_000 + "the end")

        [text] = store.tracebacks(lease.id).values()
        assert text.endswith("\u00fcthe end")
        assert len(text.encode()) <= 16_384

    def test_those_of_the_last_ten_attempts_are_kept_and_go_with_the_job(self, store):
        lease = claimed(store, max_attempts=1)
        for number in range(1, 13):
            self.commit(store, lease, f"traceback {number}")
            store.retry(lease.id)
            [lease] = claim(store)
        self.commit(store, lease, "", Status.SUCCEEDED)

        assert list(store.tracebacks(lease.id)) == list(range(3, 13))
        assert len(history(store, lease.id)) == 13
        store.delete(lease.id)
        assert list(store.client.scan_iter(f"{store.keys.prefix}*{lease.id}*")) == []

    def test_one_that_no_process_removes_expires_by_itself(self, store):
        lease = claimed(store)
        self.commit(store, lease, "a traceback")

        left = store.client.pttl(store.keys.tracebacks(lease.id))
        assert 0 < left <= Settings(_env_file=None).failure_ttl * 1000


def test_the_history_of_very_many_attempts_keeps_the_latest(store):
    lease = claimed(store, max_attempts=1)
    long = json.dumps({"type": "Long", "message": "x" * 2000})
    for _ in range(40):
        ended(store, lease, Status.FAILED, long)
        store.retry(lease.id)
        [lease] = claim(store)

    stored = store.client.hget(store.keys.job(lease.id), "attempts")
    numbers = [row[0] for row in history(store, lease.id)]
    assert len(stored) <= 32_768
    assert numbers == list(range(numbers[0], 42))
    assert 10 < len(numbers) < 20


def test_a_single_attempt_that_is_larger_than_the_history_may_be_is_kept(store):
    lease = claimed(store)
    ended(store, lease, Status.FAILED, json.dumps({"type": "Long", "message": "x" * 40_000}))

    assert history(store, lease.id) == [(1, "failed", "Long")]


def test_a_job_with_a_history_can_be_listed_without_it(store):
    lease = claimed(store)
    ended(store, lease, Status.FAILED, ERROR)

    assert [record.attempts for record in store.page().records] == [()]
