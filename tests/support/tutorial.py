"""Runs tests of examples as Nameko's tutorials write them, with its fixtures, in a process of their own.

Those fixtures need a process that is monkey-patched from its first line, unlike the process of these tests.
"""

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.support.processes import ROOT

FOLDER = "tests/e2e/examples/tutorial"
PROGRAM = "import eventlet; eventlet.monkey_patch(); import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
OPTIONS = ("-q", "-o", "addopts=", "-p", "no:cacheprovider", "--confcutdir", FOLDER)


def follow_tutorial(tests: str, env: Mapping[str, str]) -> None:
    """Run the tests in this file of the folder, on the servers that `env` names; fail with what they print."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *OPTIONS, f"{FOLDER}/{tests}"],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
