"""What befalls the store, done to real processes: nothing accepted is lost, finished twice or told twice."""

import json
import shutil
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
import requests

from errand.process.waiting import until
from tests.support import valkey as valkeys
from tests.support.ports import free_port
from tests.support.resp import Grumpy
from tests.support.smtp import SmtpSink
from tests.support.stack import running

BUSY = {"LEASE_SECONDS": "2", "OUTBOX_PATIENCE": "1", "MAIL_ENABLED": "false"}
CHILDREN = "workers.operations,tests.support.operations.alone"
SUM = {"operation": "sum", "value": 30, "other": 10}
BATCH = {"jobs": [{"operation": "sum", "arguments": {"value": n, "other": 1}} for n in range(20)]}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A store for those of the tests here that bring it back."""
    with valkeys.running(tmp_path_factory.mktemp("store")) as server:
        yield server


@pytest.fixture(scope="module")
def sink():
    """Where their mails arrive."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture(scope="module")
def stack(own, sink, valkey, tmp_path_factory):
    """An API and workers on that store; their broker has nothing to do with it."""
    env = {"REDIS_URL": own.url(), "AMQP_URI": valkey.fresh_url(), "SMTP_URL": sink.url, "CPU_SLOTS": "2"}
    folder = tmp_path_factory.mktemp("stack")
    with running(folder, {**BUSY, **env, "MAIL_ENABLED": "true", "OPERATIONS": CHILDREN}) as stack:
        yield stack


@pytest.fixture
def broker(valkey):
    """A broker that has nothing to do with the store of one test."""
    return {"AMQP_URI": valkey.fresh_url()}


@contextmanager
def posting(stack, threads=4):
    """Post jobs from several clients while the `with` block runs; gives the list of (status, id) of all answers."""
    answers, stop = [], threading.Event()

    def post():
        with requests.Session() as session:
            while not stop.is_set():
                answer = session.post(f"{stack.url}/compute", json=SUM, timeout=30)
                answers.append((answer.status_code, answer.json().get("id")))

    posters = [threading.Thread(target=post) for _ in range(threads)]
    for poster in posters:
        poster.start()
    try:
        yield answers
    finally:
        stop.set()
        for poster in posters:
            poster.join()


def is_idle(stack):
    """Tell whether no job waits or runs."""
    return not stack.count("accepted") + stack.count("running")


def accepting(stack):
    """Tell whether a job is accepted now."""
    return stack.post("/compute", SUM).status_code == 202


def moves_of(stack, job_id):
    """Give the statuses a job has had, one after the other."""
    events = stack.store.events_between("0-0", "+", 100_000)
    return [json.loads(event.data)["status"] for event in events if event.id == job_id and event.kind == "status"]


def assert_refused(answer):
    """Check that it is a 503 as clients can read it."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["type"] == "urn:errand:store-unavailable"


def assert_unhurt(stack):
    """Check that no process met a fault that it doesn't know."""
    assert stack.api.running
    assert stack.workers.running
    assert "action=request_failed" not in stack.api.output()
    assert "Traceback" not in stack.api.output() + stack.workers.output()


def test_without_the_store_a_post_answers_503_and_stores_nothing(stack, own):
    jobs = stack.store.client.zcard(stack.store.keys.jobs)

    with own.gone():
        refused = stack.post("/compute", SUM)
        unready = stack.get("/readyz")
    until(lambda: stack.get("/readyz").ok, 15, "ready again")

    assert_refused(refused)
    assert unready.status_code == 503
    assert stack.store.client.zcard(stack.store.keys.jobs) == jobs
    assert_unhurt(stack)


@pytest.mark.parametrize("fault", ["gone", "hanging"])
def test_jobs_outlive_a_store_that_is_away_for_longer_than_their_leases(fault, stack, own, sink):
    told = len(sink.messages)
    ends_meanwhile = stack.submit("rest_a_while", {"seconds": 1}, email="meanwhile@example.com")
    outlasts_it = stack.submit("rest_a_while", {"seconds": 7}, email="outlasts@example.com")
    until(lambda: stack.status(ends_meanwhile) == stack.status(outlasts_it) == "running", 20, "both running")
    waits = stack.submit("rest_a_while", {"seconds": 0}, email="waits@example.com")
    delayed = stack.submit("sum", {"value": 1, "other": 2}, email="delayed@example.com", delay=1)
    jobs = (ends_meanwhile, outlasts_it, waits, delayed)

    began = time.monotonic()
    with getattr(own, fault)():
        until(lambda: time.monotonic() - began > 4.5, 9, "an end of two leases")

    for job_id in jobs:
        assert stack.finished(job_id)["status"] == "succeeded"
    until(lambda: len(sink.messages) >= told + 2 * len(jobs), 15, "all mails")
    for job_id in jobs:
        moves = moves_of(stack, job_id)
        assert (moves.count("running"), moves.count("succeeded")) == (1, 1), moves
    mails = Counter(mail.message["Message-ID"] for mail in sink.messages[told:])
    assert len(mails) == 2 * len(jobs)
    assert set(mails.values()) == {1}, "each is told once"
    assert_unhurt(stack)


def test_a_store_killed_under_load_costs_no_accepted_job(stack, own):
    with posting(stack) as answers:
        until(lambda: len(answers) > 100, 30, "load")
        with own.gone():
            until(lambda: answers[-1][0] == 503, 10, "a refusal")
        until(lambda: [status for status, _ in answers[-20:]] == [202] * 20, 30, "accepting again")

    # a 503 may have been stored, as its answer got lost; a 202 always was
    assert {status for status, _ in answers} == {202, 503}
    until(lambda: is_idle(stack), 60, "an end of all")
    events = stack.store.events_between("0-0", "+", 100_000)
    ends = Counter(event.id for event in events if event.kind == "status" and '"succeeded"' in event.data)
    assert {ends[job_id] for status, job_id in answers if status == 202} == {1}
    assert_unhurt(stack)


def test_a_full_store_refuses_jobs_and_lets_those_it_has_end(stack, own):
    jobs = [stack.submit("rest_a_while", {"seconds": 0.5}) for _ in range(3)]
    stack.wait_for_count("running", 1)
    before = stack.store.client.zcard(stack.store.keys.jobs)

    with own.full():
        assert_refused(stack.post("/compute", SUM))
        assert_refused(stack.post("/jobs", {"operation": "sum", "arguments": {"value": 1, "other": 2}}))
        assert_refused(stack.post("/jobs/batch", BATCH))
        for job_id in jobs:
            assert stack.finished(job_id)["status"] == "succeeded"
        assert stack.store.client.zcard(stack.store.keys.jobs) == before

    stack.finished(stack.compute())
    assert_unhurt(stack)


def test_a_store_that_hangs_is_told_to_all_clients_within_seconds(stack, own):
    def post(_):
        began = time.monotonic()
        return stack.post("/compute", SUM), time.monotonic() - began

    with own.hanging(), ThreadPoolExecutor(30) as clients:
        answers = list(clients.map(post, range(30)))
        assert stack.get("/healthz").ok

    for answer, _ in answers:
        assert_refused(answer)
    assert max(seconds for _, seconds in answers) < 9
    until(lambda: accepting(stack), 10, "accepting again")
    until(lambda: is_idle(stack), 30, "an end of all")
    assert_unhurt(stack)


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("a disk can't be mounted here: that takes root, and in a container CAP_SYS_ADMIN")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("appendfsync", ["everysec", "always"])
def test_a_full_disk_under_the_store_refuses_jobs_until_there_is_room(appendfsync, env, broker, small_disk, tmp_path):
    with (
        valkeys.running(small_disk / "store", None, "--appendfsync", appendfsync) as own,
        running(tmp_path, {**env, **broker, **BUSY, "REDIS_URL": own.url()}) as stack,
    ):
        kept = stack.compute()
        with posting(stack) as answers:
            until(lambda: len(answers) > 20, 30, "load")
            ballast = fill(small_disk)
            until(lambda: answers[-1][0] == 503, 20, "a full disk")
        assert_refused(stack.post("/compute", SUM))
        assert_refused(stack.post("/jobs/batch", BATCH))
        assert stack.get("/readyz").status_code == 503
        if appendfsync == "everysec":
            assert stack.get(f"/jobs/{kept}").ok, "what is there can be read"
        else:  # a server that promised to have each write on the disk ends itself, for its supervisor to start again
            until(lambda: own.process.poll() is not None, 10, "the end of the server")

        ballast.unlink()
        if appendfsync == "always":
            own.start()

        until(lambda: accepting(stack), 15, "accepting again")
        until(lambda: is_idle(stack), 30, "an end of all")
        accepted = 2 + sum(status == 202 for status, _ in answers)
        assert {status for status, _ in answers} == {202, 503}
        assert stack.count("succeeded") >= accepted
        with own.gone():
            pass
        assert stack.count("succeeded") >= accepted, "it is on the disk, too"
        assert_unhurt(stack)


def fill(disk):
    """Fill a disk to its last byte, and give the file that does."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return ballast


@pytest.mark.parametrize("fault", ["killed", "demoted"])
def test_a_replica_takes_over_and_has_all_that_was_accepted(fault, env, broker, tmp_path):
    with (
        valkeys.running(tmp_path / "one") as primary,
        valkeys.running(tmp_path / "two") as heir,
        valkeys.running(tmp_path / "three") as third,
    ):
        for replica in (heir, third):
            replica.follow(primary)
        settings = {**env, **broker, **BUSY, "REDIS_URL": primary.url(), "STORE_REPLICAS": "1"}
        with running(tmp_path, settings) as stack:
            with posting(stack) as answers:
                until(lambda: len(answers) > 100, 30, "load")
                address = primary.port
                if fault == "killed":
                    primary.kill()
                    new, other = sorted((heir, third), key=received, reverse=True)
                    new.promote()
                else:
                    new, other = heir, third
                    hand_over(primary, new)
                new.move_to(address)
                other.follow(new)
                until(lambda: [status for status, _ in answers[-20:]] == [202] * 20, 30, "accepting again")

            assert {status for status, _ in answers} == {202, 503}
            until(lambda: is_idle(stack), 60, "an end of all")
            accepted = [job_id for status, job_id in answers if status == 202]
            missing = [job_id for job_id in accepted if not (record := stack.store.get(job_id)) or not record.result]
            assert missing == []
            assert_unhurt(stack)


def received(replica):
    """Tell how much of its primary's writes a replica has."""
    with replica.admin() as admin:
        return admin.info("replication")["slave_repl_offset"]


def hand_over(primary, heir):
    """Make the replica the primary and the other way round, and free the address; connections to it stay."""
    with primary.admin() as admin:
        admin.execute_command("FAILOVER", "TO", "127.0.0.1", heir.port)
        until(lambda: admin.info("replication")["role"] == "slave", 10, "roles changed")
    primary.move_to(free_port())


def test_whatever_the_store_answers_no_process_dies_of_it_and_clients_read_503(env, broker, tmp_path):
    with Grumpy("-LOADING Redis is loading the dataset in memory") as grumpy:
        settings = {**env, **broker, **BUSY, "REDIS_URL": f"redis://127.0.0.1:{grumpy.port}/0"}
        with running(tmp_path, settings) as stack:
            for line in ("MISCONF No space left on device", "NOREPLICAS Not enough good replicas to write."):
                grumpy.answer = f"-{line}"
                seen = stack.workers.output().count("WARNING")

                assert_refused(stack.post("/compute", SUM))
                assert_refused(stack.post("/jobs", {"operation": "sum", "arguments": {"value": 1, "other": 2}}))
                assert_refused(stack.get("/jobs"))
                assert stack.get("/readyz").status_code == 503
                until(lambda: stack.workers.output().count("WARNING") > seen, 10, "workers met it")  # noqa: B023 -- asked at once

            assert_unhurt(stack)
