"""Replays in a real store: linked in both directions, and each job is replayed once by requests for many."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from errand.store import Store
from schemas.status import Status
from tests.support.jobs import accepted, claim, claimed, ended, new_job, succeeded

ERROR = '{"type":"OSError","message":"no"}'
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def failed(store: Store, **fields) -> str:
    lease = claimed(store, **fields)
    ended(store, lease, Status.FAILED, ERROR)
    return lease.id


def unhandled(store: Store, status: Status = Status.FAILED) -> list[str]:
    page = store.page_of_oldest(status, upto=store.newest_place(), unhandled=True)
    return [record.id for record in page.records]


def kinds(verdicts) -> list[str]:
    return [verdict.kind for verdict in verdicts]


@pytest.mark.parametrize("together", [False, True])
def test_a_replay_and_its_origin_name_each_other(store, together):
    origin = failed(store)
    replay = new_job(origin=origin)
    store.accept([replay, new_job()] if together else [replay])

    assert (store.get(replay.id).origin, store.get(origin).replays) == (origin, (replay.id,))
    assert [record.replays for record in store.page(status="failed").records] == [(replay.id,)]
    assert store.get(replay.id).replays == ()


def test_of_many_replays_the_latest_are_named(store):
    origin = failed(store)
    ids = [accepted(store, origin=origin) for _ in range(25)]

    assert store.get(origin).replays == tuple(ids[-20:])


def test_a_replayed_job_counts_as_handled_and_one_that_failed_after_a_replay_does_not(store):
    first, second = failed(store), failed(store)
    replay = accepted(store, origin=first)
    assert unhandled(store) == [second]
    [lease] = claim(store)
    assert lease.id == replay
    ended(store, lease, Status.FAILED, ERROR)
    assert unhandled(store) == [second, replay], "a replay that fails is a failed job as well"

    assert [control.reply for control in store.retry_these([first, second], unhandled=True)] == ["refused", "done"]
    assert store.retry(first).reply == "done", "who names it means it"

    for lease in claim(store):
        ended(store, lease, Status.FAILED, ERROR)
    assert unhandled(store) == [first, second, replay]
    assert store.get(first).replays == (replay,), "the link stays"


def test_replays_of_many_jobs_pass_over_what_was_replayed_runs_again_or_is_gone(store):
    handled, runs, gone, free = (failed(store) for _ in range(4))
    accepted(store, origin=handled)
    store.retry(runs)
    store.delete(gone)
    jobs = [new_job(origin=origin) for origin in (handled, runs, gone, UNKNOWN, free, free)]

    verdicts = store.accept_replays(jobs)

    assert kinds(verdicts) == ["handled"] * 4 + ["new", "handled"]
    assert [store.get(job.id) is not None for job in jobs] == [False] * 4 + [True, False]
    assert store.get(free).replays == (jobs[4].id,)
    assert kinds(store.accept_replays(jobs)) == kinds(verdicts), (
        "asked again after a broken connection: the same answer"
    )


def test_one_replay_of_many_jobs_is_stored_like_any(store):
    origin = failed(store)

    assert kinds(store.accept_replays([new_job(origin=origin)])) == ["new"]
    assert kinds(store.accept_replays([new_job(origin=origin)])) == ["handled"]


def test_requests_at_the_same_time_replay_each_job_once(store):
    origins = [failed(store) for _ in range(20)]

    def replay_all(_: int) -> int:
        return kinds(store.accept_replays([new_job(origin=origin) for origin in unhandled(store)])).count("new")

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(replay_all, range(8)))

    assert sum(made) == 20
    assert all(len(store.get(origin).replays) == 1 for origin in origins)


def test_a_repeated_request_under_its_key_gets_the_same_replays(store):
    origin = failed(store)
    first, again = (new_job(origin=origin, key=f"k of {origin}", fingerprint="a") for _ in range(2))
    other = new_job(origin=origin, key=f"other of {origin}", fingerprint="a")

    assert [verdict.id for job in (first, again) for verdict in store.accept_replays([job])] == [first.id, first.id]
    assert kinds(store.accept_replays([again])) == ["replayed"]
    assert kinds(store.accept_replays([other])) == ["handled"]
    conflicting = new_job(origin=origin, key=f"k of {origin}", fingerprint="b")
    assert kinds(store.accept_replays([new_job(origin=failed(store)), conflicting])) == ["conflict"] * 2


def test_a_job_that_was_replayed_while_it_ran_is_not_handled_by_that(store):
    origin = failed(store)
    store.retry(origin)
    accepted(store, origin=origin)  # its request had read the job before
    ended(store, claim(store, 1)[0], Status.FAILED, ERROR)

    assert origin in unhandled(store)


def test_an_origin_that_is_gone_leaves_no_record_behind(store):
    lease = claimed(store)
    succeeded(store, lease)
    store.delete(lease.id)

    accepted(store, origin=lease.id)

    assert not store.client.exists(store.keys.job(lease.id))


def test_a_retry_by_an_api_of_before_makes_a_handled_job_open_again(store):
    origin = failed(store)
    accepted(store, origin=origin)
    store.client.hincrby(store.keys.job(origin), "retries", 1)  # as it counts, without knowing of `handled`

    assert unhandled(store) == [origin]


def test_a_job_that_is_no_replay_costs_no_command_more(store):
    def commands(**fields) -> int:
        store.client.config_resetstat()
        store.accept([new_job(**fields)])
        stats = store.client.info("commandstats")
        return sum(row["calls"] for name, row in stats.items() if "evalsha" not in name and "info" not in name)

    origin = failed(store)
    commands()
    assert commands(origin=origin) - commands() == 3, "its origin is read, linked and marked"
