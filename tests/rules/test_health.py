"""The pulse that the containers' health check reads."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from errand.health import HEALTH_FILE, NOTIFY_SOCKET, PATIENCE, STARTED, STATUS, STOPPING, beat, find_problem, notify
from tests.rules.tree import ROOT


@pytest.fixture
def pulse(tmp_path: Path) -> Path:
    return tmp_path / "alive"


def test_a_process_that_just_beat_is_healthy(pulse: Path) -> None:
    beat(str(pulse))

    assert find_problem(str(pulse)) is None
    assert list(pulse.parent.iterdir()) == [pulse]


def test_a_process_that_stopped_beating_is_not(pulse: Path) -> None:
    pulse.write_text(f"{time.monotonic() - PATIENCE - 1:.3f}\n")

    assert find_problem(str(pulse)) == "The last beat is 31 s old; 30 s are allowed."


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "There was no beat yet"), ("alive", "holds no time"), ("1e12", "The last beat is")],
    ids=["no file", "no time", "a time to come"],
)
def test_a_pulse_that_can_not_be_right_is_not_healthy(pulse: Path, content: str | None, said: str) -> None:
    if content is not None:
        pulse.write_text(content)

    assert said in str(find_problem(str(pulse)))


def test_without_a_file_to_write_a_beat_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HEALTH_FILE, raising=False)

    beat()

    assert find_problem() == "HEALTH_FILE is not set, so there is no beat to read."


def test_a_beat_that_can_not_be_written_stops_nobody(tmp_path: Path) -> None:
    beat(str(tmp_path / "no" / "such" / "folder"))

    assert list(tmp_path.iterdir()) == []


def test_the_command_of_the_health_check_exits_as_the_pulse_says(monkeypatch: pytest.MonkeyPatch, pulse: Path) -> None:
    monkeypatch.setenv(HEALTH_FILE, str(pulse))
    check = [sys.executable, "-m", "errand.health"]

    before = subprocess.run(check, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=20, check=False)
    beat()
    after = subprocess.run(check, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=20, check=False)

    assert (before.returncode, after.returncode) == (1, 0)
    assert before.stderr.startswith("errand: There was no beat yet")


@pytest.mark.parametrize("abstract", [False, True], ids=["a path", "an abstract name"])
def test_whoever_waits_for_the_start_is_told_as_sd_notify_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, abstract: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"errand-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as waiting:
        waiting.bind(f"\0{name}" if abstract else name)
        waiting.settimeout(0)  # what was sent is there at once
        monkeypatch.setenv(NOTIFY_SOCKET, f"@{name}" if abstract else name)

        notify(STARTED)
        notify(STOPPING, f"{STATUS}waiting for 2 running jobs")

        assert waiting.recv(64) == b"READY=1"
        assert waiting.recv(64) == b"STOPPING=1\nSTATUS=waiting for 2 running jobs"


@pytest.mark.parametrize("address", ["", "nobody/listens"])
def test_where_nobody_waits_for_the_start_nothing_is_told(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv(NOTIFY_SOCKET, address)

    notify(STARTED)
