"""`make run` and `make demo` as their user sees them: what is said, what is kept, and that nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from errand.process.waiting import until
from errand.trust.signing import parse_keys
from tests.support.ports import LOCALHOST, free_port
from tests.support.processes import Running, alive, descendants

JOB = {"operation": "sum", "value": 30, "other": 10, "email": "name@email.com"}


class MakeRun(Running):
    """What `make run` starts, in a folder of its own, where no .env is."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.port = free_port()
        self.url = f"http://{LOCALHOST}:{self.port}"
        self.seen = 0
        super().__init__(
            "make run",
            [sys.executable, "-m", "errand.embedded.run"],
            folder / "run.log",
            env={"PORT": str(self.port), **env},
            ready=lambda: "errand: ready" in self.output()[self.seen :],
            starts_in=60,
            cwd=folder,
        )

    def start(self) -> "MakeRun":
        self.seen = len(self.output())
        super().start()
        return self

    def finished(self, job_id: str) -> dict:
        def if_final() -> dict | None:
            job = requests.get(f"{self.url}/jobs/{job_id}", timeout=5).json()
            return job if job["status"] in {"succeeded", "failed"} else None

        return until(if_final, 20, "the end of the job")

    def child(self, name: str) -> int:
        """Give the process below it whose command line has this in it, and not the process of honcho beside it."""
        for pid in descendants(self.process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if name in command:
                return pid
        raise AssertionError(f"no process {name}")


@pytest.fixture
def make_run(tmp_path: Path) -> Iterator[MakeRun]:
    run = MakeRun(tmp_path)
    yield run
    run.stop()


def post(run: MakeRun) -> str:
    answer = requests.post(f"{run.url}/compute", json=JOB, timeout=5)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def ended(run: MakeRun, pids: list[int], within: float = 20) -> int:
    """Wait for its end, and that of all that was below it; give its exit status."""
    status = run.process.wait(within)
    until(lambda: not alive(pids), within, "the end of all processes below it")
    return status


def test_it_says_where_to_click_and_the_job_it_suggests_works(make_run: MakeRun, tmp_path: Path) -> None:
    make_run.start()

    job = make_run.finished(post(make_run))

    assert job["result"] == 40
    assert f"{make_run.url}/apidocs" in make_run.output()
    assert requests.get(f"{make_run.url}/apidocs", timeout=5).ok
    mails = tmp_path / ".errand" / "mail" / "new"
    until(lambda: len(list(mails.iterdir())) == 2, 10, "receipt and result in the mail folder")
    assert f"  mails   {make_run.url}/mailbox\n" in make_run.output()
    assert requests.get(f"{make_run.url}/mailbox", timeout=5).ok
    shown = requests.get(f"{make_run.url}/mailbox/mails", timeout=5).json()["mails"]
    assert {mail["to"] for mail in shown} == {"name@email.com"}
    assert len(shown) == 2
    secret = tmp_path / ".errand" / "webhook_secret"
    assert str(secret.relative_to(tmp_path)) in make_run.output()
    assert len(parse_keys(secret.read_text())) == 1
    for private in (secret, secret.parent, secret.parent / "store"):
        assert private.stat().st_mode & 0o077 == 0, f"nobody else may read {private}"
    assert secret.read_text().strip() not in make_run.output()
    hook = {"operation": "sum", "arguments": {"value": 1, "other": 2}, "webhook_url": "http://127.0.0.1/"}
    refused = requests.post(f"{make_run.url}/jobs", json=hook, timeout=5)
    assert "not on the public internet" in refused.text, "so webhooks are switched on"


def test_two_api_processes_answer_and_none_is_started_again_and_again(tmp_path: Path) -> None:
    def apis() -> set[int]:
        named = b"\0-m\0api\0"
        return {pid for pid in descendants(run.process.pid) if named in Path(f"/proc/{pid}/cmdline").read_bytes()}

    run = MakeRun(tmp_path, API_PROCESSES="2")
    try:
        run.start()
        before = apis()

        assert len(before) == 3, "two that answer, and their parent"
        assert all(run.finished(post(run))["result"] == 40 for _ in range(10))
        assert apis() == before
    finally:
        run.stop()


def test_ctrl_c_leaves_no_process_and_what_was_computed_is_there_after_the_next_start(make_run: MakeRun) -> None:
    make_run.start()
    job_id = post(make_run)
    make_run.finished(job_id)
    pids = descendants(make_run.process.pid)

    make_run.interrupt()

    assert len(pids) >= 5
    assert ended(make_run, pids) == 0
    assert make_run.output().endswith("errand: stopped\n")
    make_run.start()
    assert make_run.finished(job_id)["result"] == 40


def test_sigterm_ends_it_in_good_order_too(make_run: MakeRun) -> None:
    make_run.start()
    pids = descendants(make_run.process.pid)

    make_run.process.terminate()

    assert ended(make_run, pids) == 0


def test_kill_9_leaves_no_process_either_and_the_next_start_works(make_run: MakeRun) -> None:
    make_run.start()
    job_id = post(make_run)
    make_run.finished(job_id)
    pids = descendants(make_run.process.pid)

    make_run.process.kill()

    assert ended(make_run, pids) == -signal.SIGKILL
    make_run.start()
    assert make_run.finished(job_id)["result"] == 40


@pytest.mark.parametrize(
    ("name", "command"), [("api", "-m api"), ("workers", "-m workers"), ("valkey", "valkey-server")]
)
def test_a_part_that_dies_brings_all_down_and_is_named(make_run: MakeRun, name: str, command: str) -> None:
    make_run.start()
    pids = descendants(make_run.process.pid)

    os.kill(make_run.child(command), signal.SIGKILL)

    assert ended(make_run, pids) == 1
    assert f"errand: {name} stopped by itself" in make_run.output()


def test_a_port_in_use_is_said_before_anything_starts(make_run: MakeRun, tmp_path: Path) -> None:
    with socket.create_server((LOCALHOST, make_run.port)):
        make_run.ready = None
        make_run.start()
        status = make_run.process.wait(20)

    assert status == 2
    assert f"port {make_run.port} is in use" in make_run.output()
    assert not (tmp_path / ".errand").exists()


def test_a_setting_that_can_not_be_right_is_said_before_anything_starts(tmp_path: Path) -> None:
    run = MakeRun(tmp_path, RESULT_TTL="soon")
    run.ready = None

    run.start()

    assert run.process.wait(20) == 2
    assert run.output().startswith("errand: RESULT_TTL: ")
    assert not (tmp_path / ".errand").exists()


def test_two_on_the_same_data_are_one_too_many(make_run: MakeRun, tmp_path: Path) -> None:
    make_run.start()
    second = MakeRun(tmp_path)
    second.log, second.ready = tmp_path / "second.log", None

    second.start()

    assert second.process.wait(20) == 2
    assert "is in use by the Valkey server" in second.output()
    assert make_run.finished(post(make_run))["result"] == 40


def test_with_every_server_named_none_is_brought_along(
    tmp_path: Path, redis_url, key_prefix, amqp_uri, smtp_sink
) -> None:
    run = MakeRun(tmp_path, REDIS_URL=redis_url, KEY_PREFIX=key_prefix, AMQP_URI=amqp_uri, SMTP_URL=smtp_sink.url)
    try:
        run.start()
        assert run.finished(post(run))["result"] == 40
        assert len(smtp_sink.wait_for(2)) == 2
        assert sorted(path.name for path in (tmp_path / ".errand").iterdir()) == ["run.env", "webhook_secret"]
        assert requests.get(f"{run.url}/mailbox", timeout=5).status_code == 404, "the mails are somewhere else"
    finally:
        run.stop()


def test_the_demo_shows_result_and_mails_and_leaves_nothing(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    demo = Running.module(
        "errand.embedded.demo",
        log=tmp_path / "demo.log",
        env={"TMPDIR": str(temporary), "PORT": "no port"},
        cwd=tmp_path,
    )

    demo.start()

    assert demo.process.wait(90) == 0, demo.tail()
    for said in ("status succeeded, result 40", "Please wait the calculation", "The result is: 40"):
        assert said in demo.output()
    assert list(temporary.iterdir()) == []
    assert demo.group() == []


def test_make_alone_prints_every_target() -> None:
    told = subprocess.run(["make"], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True).stdout

    for target in ("help", "run", "demo", "test", "api", "workers", "worker", "bench", "lint", "shell"):
        assert f"make {target} " in told
