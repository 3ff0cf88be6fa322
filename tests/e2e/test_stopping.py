"""Stopping `make run` in a real terminal hands running jobs back: no attempt is counted, and nobody is mailed."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests

from errand.process.waiting import until
from tests.support.ports import LOCALHOST, free_port
from tests.support.processes import ROOT, alive, command_of, descendants
from tests.support.terminal import Terminal

OPERATIONS = "workers.operations,tests.support.operations"
ARGUMENTS = {"rest": {"seconds": 600}, "dawdle": {}, "sum": {"value": 1, "other": 2}}
LONG = ("rest", "dawdle")
"""Operations without an end: `rest` runs beside others in one process, `dawdle` has a process to itself."""


class Session:
    """`make run` in a terminal; it can be started again on the same data."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://{LOCALHOST}:{self.port}"
        self.pids: list[int] = []
        self.terminal: Terminal | None = None
        (folder / "Makefile").write_text(f"run:\n\t@{sys.executable} -m errand.embedded.run\n")

    def start(self, **settings: str) -> Terminal:
        own = {"PORT": str(self.port), "PYTHONPATH": str(ROOT), "OPERATIONS": OPERATIONS}
        self.terminal = Terminal(["make", "run"], env={**os.environ, **own, **settings}, cwd=self.folder)
        until(lambda: "errand: ready" in self.terminal.output(), 60, "the start")
        return self.terminal

    def submit(self, operation: str) -> str:
        job = {"operation": operation, "arguments": ARGUMENTS[operation], "email": "owner@example.com"}
        answer = requests.post(f"{self.url}/jobs", json=job, timeout=5)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def job(self, job_id: str) -> dict[str, Any]:
        return requests.get(f"{self.url}/jobs/{job_id}", timeout=5).json()

    def running(self, *ids: str) -> None:
        """Wait until the jobs run, each in its first attempt."""
        until(lambda: all(self.job(each)["status"] == "running" for each in ids), 30, "the jobs run")
        assert [self.job(each)["attempt"] for each in ids] == [1] * len(ids)
        until(lambda: self._mails() == len(ids), 15, "the receipts")
        self.pids = [self.terminal.process.pid, *descendants(self.terminal.process.pid)]

    def ended(self, within: float) -> float:
        """Wait until no process is left; return the seconds."""
        began = monotonic()
        self.terminal.process.wait(within)
        until(lambda: not alive(self.pids), within, "the end of all processes")
        return monotonic() - began

    def _mails(self) -> int:
        folder = self.folder / ".errand" / "mail" / "new"
        return len(list(folder.iterdir())) if folder.is_dir() else 0


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path)
    yield session
    if session.terminal:
        session.terminal.end()
        until(lambda: not alive(session.pids), 20, "the end of all processes")


def waits(session: Session, jobs: str) -> None:
    said = f"errand: waiting for {jobs} to end or be handed back; Ctrl-C again ends at once\n"
    until(lambda: said in session.terminal.output(), 10, "the sentence that says what it waits for")


def ctrl_c(session: Session) -> None:
    session.terminal.press_ctrl_c()
    waits(session, "2 running jobs")


def ctrl_c_twice(session: Session) -> None:
    ctrl_c(session)
    session.terminal.press_ctrl_c()


def ctrl_c_impatiently(session: Session) -> None:
    presses = iter(range(5))

    def pressed_often() -> bool:
        session.terminal.press_ctrl_c()
        return next(presses, None) is None

    until(pressed_often, 5, "a few presses", pause=0.02)  # the kernel makes two at the same moment one


def sigterm(session: Session) -> None:
    session.terminal.process.terminate()


def sigterm_to_operations_too(session: Session) -> None:
    """Do as systemd does, which signals every process of a service."""
    session.terminal.process.terminate()
    for pid in session.pids:
        if "workers" in command_of(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def sighup(session: Session) -> None:
    """Do as a shell does whose terminal was closed."""
    os.killpg(session.terminal.process.pid, signal.SIGHUP)


def close(session: Session) -> None:
    session.terminal.close()


@pytest.mark.parametrize(
    ("stop", "grace"),
    [
        (ctrl_c, "1"),
        (ctrl_c_twice, "300"),
        (ctrl_c_impatiently, "300"),
        (sigterm, "1"),
        (sigterm_to_operations_too, "1"),
        (sighup, "1"),
        (close, "1"),
    ],
)
def test_jobs_that_ran_when_it_was_stopped_run_again_and_nothing_is_counted(
    session: Session, stop: Callable[[Session], None], grace: str
) -> None:
    session.start(STOP_GRACE=grace)
    jobs = [session.submit(operation) for operation in LONG]
    session.running(*jobs)

    stop(session)

    assert session.ended(20) < 8
    session.start(STOP_GRACE="0")
    session.running(*jobs)


def test_with_the_default_settings_running_jobs_have_ten_seconds(session: Session) -> None:
    session.start()
    job = session.submit("rest")
    session.running(job)

    session.terminal.press_ctrl_c()

    waits(session, "1 running job")
    assert 8 < session.ended(30) < 16
    assert "errand: stopped\n" in session.terminal.output()
    session.start()
    session.running(job)
    session.terminal.press_ctrl_c()
    waits(session, "1 running job")
    session.terminal.press_ctrl_c()
    assert session.ended(20) < 8


def test_a_job_that_outlives_three_stops_does_not_fail_of_them(session: Session) -> None:
    session.start(STOP_GRACE="0")
    job = session.submit("dawdle")
    for _ in range(3):
        session.running(job)
        session.terminal.press_ctrl_c()
        session.ended(20)
        session.start(STOP_GRACE="0")

    session.running(job)


def test_the_start_is_quiet_and_each_job_that_ends_has_a_line(session: Session) -> None:
    session.start()
    before = session.terminal.output().partition("errand: ready")[0].splitlines()

    job = session.submit("sum")

    line = re.compile(rf"job_id={job} sum succeeded after \d+\.\d{{3}} s\n")
    until(lambda: line.search(session.terminal.output()), 15, "the line of the job")
    assert len(before) <= 7, before
