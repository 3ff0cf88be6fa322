"""`docs/your-own-operation.md` as its reader follows it: what it says is done, and what it promises comes out."""

import json
import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

from errand.process.waiting import until
from tests.conftest import missing
from tests.support.processes import ROOT
from tests.support.stack import Stack, running

GUIDE = (ROOT / "docs" / "your-own-operation.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:5000"


def section(title: str) -> str:
    """Give what stands below a heading, up to the next one of its rank or a higher one."""
    rank = re.search(rf"^(#+) {re.escape(title)}$", GUIDE, re.MULTILINE)
    assert rank, f"no heading {title!r}"
    return re.split(rf"^#{{1,{len(rank[1])}}} ", GUIDE[rank.end() :], maxsplit=1, flags=re.MULTILINE)[0]


def block(text: str, language: str) -> str:
    """Give the first block of code in this language, without its indent."""
    found = re.search(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    assert found, f"no block of {language}"
    return textwrap.dedent(found[1])


FIVE_MINUTES = section("Your own operation in five minutes")
SERVICE = section("A service of its own")


def shell(command: str, url: str) -> str:
    """Run a command as a reader types it, but for the address, and give what it prints."""
    if not shutil.which("curl"):
        missing("curl is not installed (apt-get install curl)")
    ran = subprocess.run(
        ["sh", "-ec", command.replace(ADDRESS, url)], capture_output=True, text=True, timeout=30, check=True
    )
    return ran.stdout


def known(stack: Stack, operation: str) -> bool:
    return stack.get(f"/operations/{operation}").status_code == 200


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the workers' side, to write into."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "workers", folder / "workers", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def env_of(env: dict[str, str], valkey):
    """Give the environment of an Errand on the embedded broker whose Python finds `folder` first."""

    def give(folder: Path) -> dict[str, str]:
        return {**env, "AMQP_URI": valkey.fresh_url(), "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}

    return give


def test_the_five_minutes_end_as_they_promise(checkout: Path, env_of, tmp_path: Path) -> None:
    with running(tmp_path, env_of(checkout)) as stack:
        # given workers that don't know it
        until(lambda: known(stack, "primes"), 20, "the catalogue")
        assert stack.post("/operations/words", {"arguments": {"text": "x"}}).status_code == 404

        # when the file is where the page says, and the workers are restarted, and nothing else
        place = re.search(r"Save it as `(workers/operations/\w+\.py)`", FIVE_MINUTES)
        assert place
        (checkout / place[1]).write_text(block(FIVE_MINUTES, "python"), encoding="utf-8")
        stack.workers.restart()
        until(lambda: known(stack, "words"), 20, "the new operation")

        # then the answer is the one that is shown
        answer: dict[str, Any] = json.loads(shell(block(FIVE_MINUTES, "sh"), stack.url))
        promised = json.loads(block(FIVE_MINUTES, "json"))
        assert {name: answer.get(name) for name in promised} == promised
        assert list(answer["result"]) == list(promised["result"])

        # and so are log, form and refusal
        assert stack.get(f"/jobs/{answer['id']}/log").text == "6 words to count\n"
        assert "/operations/words" in stack.get("/apispec.json").json()["paths"]
        refused = re.search(r"such as `(\{.*\})`", FIVE_MINUTES)
        assert refused
        refusal = stack.post("/operations/words", json.loads(refused[1]))
        assert refusal.status_code == 422
        assert refusal.json()["errors"][0]["pointer"] == "/arguments/text"


def test_a_service_of_its_own_runs_where_its_package_is(env_of, tmp_path: Path) -> None:
    package = tmp_path / "site" / "company"
    package.mkdir(parents=True)
    (package / "reports.py").write_text(block(SERVICE, "python"), encoding="utf-8")
    command = re.search(r"OPERATIONS=(\S+) python -m workers (\w+)", block(SERVICE, "sh"))
    assert command
    module, service = command.groups()

    with running(tmp_path, env_of(package.parent)) as stack:
        # given an Errand that doesn't have the package
        until(lambda: known(stack, "sum"), 20, "the catalogue")
        assert not known(stack, "pages")

        # when a worker is started that has it
        others = stack.worker(service)
        others.env["OPERATIONS"] = module
        with_others = others.start()
        try:
            until(lambda: known(stack, "pages"), 20, "the other service's operation")

            # then its jobs are run there
            job_id = stack.post("/operations/pages", {"arguments": {"lines": 61}}).json()["id"]
            assert stack.finished(job_id)["result"] == 2
            assert stack.get("/operations/pages").json()["service"] == service
        finally:
            with_others.stop()
