"""`python -m errand.attempts ID`: what operators see of a job's attempts, straight from the store."""

import os
import subprocess
import sys

import pytest

from errand.store import Outcome
from schemas.status import Status
from tests.support.jobs import accepted, claim, claimed, succeeded
from tests.support.ports import free_port

ERROR = '{"type":"KeyError","message":"\'amount\'"}'
UNKNOWN = "01a1fc96-17ae-711f-a888-b75326918fe5"


@pytest.fixture
def command(settings, tmp_path):
    """Run the command with these arguments, on the test's store or another."""

    def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        servers = {"REDIS_URL": settings.redis_url, "KEY_PREFIX": settings.key_prefix} | env
        line = [sys.executable, "-m", "errand.attempts", *arguments]
        return subprocess.run(
            line, check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path, env={**os.environ, **servers}
        )

    return run


def test_it_prints_each_attempt_with_its_traceback(store, command):
    lease = claimed(store)
    traceback = "Traceback (most recent call last):\n  File \"bill.py\", line 3\nKeyError: \x1b[31m'amount'"
    store.commit([Outcome(lease, Status.FAILED, ERROR, traceback=traceback)])
    store.retry(lease.id)
    succeeded(store, claim(store)[0])

    done = command(lease.id.upper())

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"{lease.id} (sum): succeeded, attempt 2 of at most 4"
    assert lines[2].startswith("1. failed from 20")
    assert lines[2].endswith("on worker")
    assert lines[3:6] == [
        "   KeyError: 'amount'",
        "   Traceback (most recent call last):",
        '     File "bill.py", line 3',
    ]
    assert lines[6] == "   KeyError: \N{REPLACEMENT CHARACTER}[31m'amount'", "a terminal obeys none of it"
    assert lines[8].startswith("2. succeeded from 20")


def test_a_job_that_never_started_has_a_head_only(store, command):
    done = command(accepted(store))

    assert done.stdout.endswith("(sum): accepted, attempt 0 of at most 3\n")


@pytest.mark.parametrize(
    ("arguments", "env", "status", "words"),
    [
        ((), {}, 2, "usage: python -m errand.attempts ID"),
        (("x",), {}, 2, "usage: "),
        ((UNKNOWN, UNKNOWN), {}, 2, "usage: "),
        ((UNKNOWN,), {}, 1, f"errand: there is no job {UNKNOWN}"),
        ((UNKNOWN,), {"REDIS_URL": f"redis://127.0.0.1:{free_port()}"}, 1, "errand: the store can't be reached"),
        ((UNKNOWN,), {"REDIS_URL": "http://x"}, 2, "errand: REDIS_URL"),
    ],
)
def test_what_it_can_not_do_it_says_in_a_sentence(command, arguments, env, status, words):
    done = command(*arguments, **env)

    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(words)
    assert "Traceback" not in done.stderr
