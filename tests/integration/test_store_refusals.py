"""What a store says in bad moments: nothing is half-written, and who asks learns that it is away."""

import shutil
import time
from dataclasses import replace
from uuid import uuid4

import pytest

from errand.errors import StoreUnavailable
from errand.process.waiting import until
from errand.settings import Settings
from errand.store import Outcome, ScheduleDefinition, Store
from errand.store.redis_access.availability import HANGS_SECONDS
from schemas.notifications import NoticeState
from schemas.status import Status
from tests.support import valkey as valkeys
from tests.support.jobs import accepted, claim, claimed, ended, expire, keeping, new_job, rescue
from tests.support.resp import Grumpy

AWAY = [
    "LOADING Redis is loading the dataset in memory",
    "MISCONF Errors writing to the AOF file: No space left on device",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    "NOREPLICAS Not enough good replicas to write.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "MOVED 3999 127.0.0.1:6381",
    "ASK 3999 127.0.0.1:6381",
    "BUSY Redis is busy running a script.",
    "UNKILLABLE The busy script already executed write commands against the dataset.",
    "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM User default has no permissions to run the 'evalsha' command",
    "ERR max number of clients reached",
]


def store_at(url, **settings):
    """Make a store for this address."""
    return Store.connect(Settings(_env_file=None, redis_url=url, **settings))


@pytest.fixture(params=["valkey", "redis"])
def server(request, tmp_path):
    """A server of this test's own, of each kind in turn."""
    if request.param == "redis" and not valkeys.redis_binary():
        pytest.skip("Redis is not installed; Valkey stands for the store everywhere")
    binary = valkeys.redis_binary() if request.param == "redis" else None
    with valkeys.running(tmp_path / "server", binary) as server:
        yield server


@pytest.fixture
def own(server):
    store = store_at(server.url())
    yield store
    store.client.close()


@pytest.fixture
def replica(server, tmp_path):
    """A replica of the server."""
    with valkeys.running(tmp_path / "replica", server.binary) as replica:
        replica.follow(server)
        yield replica
        replica.kill()  # nothing of it is wanted any more, and Redis takes its time


@pytest.fixture
def replicated(server, replica, monkeypatch):
    """A store whose answers mean that the replica has it, too; it waits for that less than it would."""
    monkeypatch.setattr("errand.store.redis_access.script_loader.REPLICA_SECONDS", 0.3)
    store = store_at(server.url(), store_replicas=1)
    yield store
    store.client.close()


@pytest.mark.parametrize("line", AWAY, ids=lambda line: line.split()[0])
def test_whatever_a_store_refuses_with_it_is_away_and_nothing_else(line):
    with Grumpy(f"-{line}") as grumpy:
        store = store_at(f"redis://127.0.0.1:{grumpy.port}/0")

        for ask in (store.ping, store.counts, store.last_event, lambda: store.accept([new_job()])):
            with pytest.raises(StoreUnavailable):
                ask()


def test_a_fault_of_a_script_is_no_fault_of_the_store():
    with Grumpy("-ERR user_script:12: attempt to index a nil value script: 4970ac6a, on @user_script:12.") as grumpy:
        store = store_at(f"redis://127.0.0.1:{grumpy.port}/0")

        with pytest.raises(Exception, match="attempt to index"):
            store.counts()


def test_connections_to_a_primary_that_became_a_replica_are_left():
    with Grumpy("-READONLY You can't write against a read only replica.") as grumpy:
        store = store_at(f"redis://127.0.0.1:{grumpy.port}/0")

        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                store.accept([new_job()])

        assert grumpy.connections == 3


def test_a_full_store_takes_nothing_in_and_nothing_by_halves(server, own):
    failed = claimed(own)
    assert ended(own, failed, Status.FAILED, '{"type":"E","message":"m"}').final
    options = {"queue": "compute", "priority": "normal", "tags": (), "overlap": "allow"}
    schedule = ScheduleDefinition(cron="* * * * *", timezone="UTC", operation="sum", arguments="{}", **options)
    own.put_schedule("nightly", schedule, [1])
    seen = own.schedule("nightly")
    rich = {"email": "name@email.com", "tags": ("a", "b"), "key": "once", "fingerprint": "f", "deadline_in_ms": 60_000}
    calls = [
        lambda: own.accept([new_job(**rich)]),
        lambda: own.accept([new_job(delay_ms=1000)]),
        lambda: own.accept([new_job(priority="low"), new_job(**rich), new_job(delay_ms=1)]),
        lambda: own.tick(seen, [2], 1, new_job()),
        lambda: own.put_schedule("hourly", schedule, [1]),
        lambda: own.add_letter(str(uuid4()), "name@email.com", "subject", "body"),
    ]
    before = valkeys.contents(server, "errand:")

    with server.full():
        for call in calls:
            with pytest.raises(StoreUnavailable):
                call()

    assert valkeys.contents(server, "errand:") == before
    for call in calls:
        call()
    assert valkeys.contents(server, "errand:") != before


def test_a_full_store_lets_jobs_go_on_and_end_and_leave(server, own):
    over, running, dead = claimed(own), claimed(own, email="name@email.com"), claimed(own)
    ended(own, over, Status.SUCCEEDED, ttl=0)
    waiting, low, unwanted = accepted(own), accepted(own, priority="low"), accepted(own)
    expire(own, dead)

    with server.full():
        assert not own.renew([running], 30, {running.id: '{"progress":1}'}).lost
        round_ = rescue(own)
        assert (round_.recovered, round_.removed) == (1, 1)
        assert own.cancel(unwanted).reply == "done"
        leases = claim(own)
        assert {lease.id for lease in leases} == {waiting, low, dead.id}
        commits = own.commit([Outcome(lease, Status.SUCCEEDED, "40") for lease in (running, *leases)])
        assert all(commit.final for commit in commits)
        assert own.delete(waiting).reply == "done"
        own.publish_catalogue({"sum": "{}"})
        notices = own.claim_mails(10, 30)
        assert len(notices) == 2
        assert all(own.settle(notice, NoticeState.FAILED) for notice in notices)
        assert own.retry_notifications(running.id).reply == "done"
        assert own.unsubscribe("name@email.com")
        assert own.claim_mails(10, 30) == []
        assert own.link_secret() == own.link_secret()

    assert own.get(over.id) is own.get(waiting) is None


def test_a_full_store_has_room_again_when_the_time_of_what_ended_is_over(server, own):
    with server.admin() as admin:
        server.configure("maxmemory", str(admin.info("memory")["used_memory"] + 2**21))
    big = new_job(arguments="x" * 100_000)

    until(lambda: is_refused(own, replace(big, id=str(uuid4()))), 10, "a full store", pause=0)
    keeping(own, 0).commit([Outcome(lease, Status.SUCCEEDED, "40") for lease in claim(own)])
    assert rescue(own).removed > 10

    assert own.accept([big])[0].kind == "new"


def test_a_file_that_ends_in_the_middle_of_a_job_has_all_of_the_job_or_nothing(tmp_path):
    with valkeys.running(tmp_path / "whole") as server:
        store = store_at(server.url())
        store.accept([new_job()])
        file = max((server.folder / "appendonlydir").glob("*.incr.aof"))
        sizes, states = [file.stat().st_size], [valkeys.contents(server, "errand:")]
        store.accept([new_job(email="name@email.com", tags=("a",), key="k", fingerprint="f"), new_job(delay_ms=60_000)])
        sizes.append(file.stat().st_size)
        states.append(valkeys.contents(server, "errand:"))
        store.client.close()
        server.kill()

    step = (sizes[1] - sizes[0]) // 5
    for cut in [*range(sizes[0], sizes[1], step), sizes[1] - 1, sizes[1]]:
        folder = tmp_path / str(cut)
        shutil.copytree(tmp_path / "whole", folder)
        with (folder / "appendonlydir" / file.name).open("r+b") as copy:
            copy.truncate(cut)
        with valkeys.running(folder) as server:
            assert valkeys.contents(server, "errand:") == states[cut == sizes[1]], f"cut at {cut} of {sizes}"


def test_an_outcome_that_is_committed_again_as_the_answer_got_lost_is_told_to_be_stored(own):
    lease = claimed(own)
    outcome = Outcome(lease, Status.SUCCEEDED, "40")

    first, again = own.commit([outcome])[0], own.commit([outcome])[0]
    late = ended(own, lease, Status.FAILED, "{}")

    assert (first.status, again.status, late.status) == (Status.SUCCEEDED, Status.SUCCEEDED, None)
    assert own.client.hget(own.keys.prefix + "totals", "sum succeeded") == "1"


def test_with_a_replica_a_job_is_accepted_when_the_replica_has_it(replica, replicated):
    job_id = accepted(replicated)

    reader = store_at(replica.url())
    assert reader.client.hget(reader.keys.job(job_id), "status") == "accepted"
    reader.client.close()


def test_without_its_replica_a_store_promises_nothing(replica, replicated):
    lease = claimed(replicated, email="name@email.com")
    job = new_job(key="once", fingerprint="f")

    with replica.hanging():
        with pytest.raises(StoreUnavailable, match="Idempotency-Key"):
            replicated.accept([job])
        # what is done again if it gets lost goes on
        assert claim(replicated)
        with pytest.raises(StoreUnavailable):
            replicated.claim_mails(10, 0)

    # done it was, and who asks again is told so
    [verdict] = replicated.accept([new_job(key="once", fingerprint="f")])
    assert (verdict.kind, verdict.id) == ("replayed", job.id)
    assert ended(replicated, lease, Status.SUCCEEDED).final
    assert replicated.claim_mails(10, 30)


def test_what_was_done_already_is_told_when_a_replica_has_it_however_often_it_is_asked(server, replica, replicated):
    outcome = Outcome(claimed(replicated), Status.SUCCEEDED, "40")
    another = store_at(server.url(), store_replicas=1)  # on its connection nothing has been written yet
    with replica.hanging():
        for store in (replicated, another, another):
            with pytest.raises(StoreUnavailable):
                store.commit([outcome])

    assert another.commit([outcome])[0].final
    another.client.close()


def test_a_store_that_hangs_is_waited_for_by_the_first_and_not_by_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr("errand.store.ANSWER_SECONDS", 0.5)
    with valkeys.running(tmp_path) as server:
        store = store_at(server.url())
        with server.hanging():
            with pytest.raises(StoreUnavailable):
                store.accept([new_job()])
            began = time.monotonic()
            for _ in range(100):
                with pytest.raises(StoreUnavailable, match="answer"):
                    store.accept([new_job()])
            assert time.monotonic() - began < HANGS_SECONDS

        until(lambda: answers(store), 5, "the store again")


def is_refused(store, job):
    """Tell whether the store has no room for one more."""
    try:
        store.accept([job])
    except StoreUnavailable:
        return True
    return False


def answers(store):
    """Tell whether the store can be asked."""
    try:
        store.ping()
    except StoreUnavailable:
        return False
    return True
