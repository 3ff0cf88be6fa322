"""schemathesis holds the whole API to its document: all checks, all routes, with right and with wrong data.

How far it goes is in schemathesis.toml, and what a document can't say in hooks.py.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from errand.process.waiting import until
from errand.trust.links import SignedLinks
from errand.trust.signing import new_secret
from tests.support.stack import Stack, running
from tests.support.valkey import Server

HERE = Path(__file__).parent
EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]{1,19}-[0-9]{1,19}$"},
        "event": {"type": "string", "enum": ["status", "progress", "log"]},
        "data": {"type": "string", "pattern": r"^\{.*\}$"},
    },
    "required": ["id", "event", "data"],
}
"""What each event of a stream looks like."""
SECONDS = 600
"""Many times what it takes: about 25 s where nothing else runs."""


@pytest.fixture(scope="module")
def stack(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An API and workers with the operations that come with Errand, and nobody who is mailed or called.

    What is made up may keep a processor busy for an hour, so there is one slot for it, and it is given up at the end.
    """
    env = {"REDIS_URL": valkey.fresh_url(), "AMQP_URI": valkey.fresh_url(), "MAIL_ENABLED": "false"}
    env |= {"CPU_SLOTS": "1", "STOP_GRACE": "0", "WEBHOOK_SECRET": new_secret()}
    with running(tmp_path_factory.mktemp("fuzzing"), env, start_all_but_webhooks) as stack:
        until(lambda: "fetch" in stack.store.catalogue(), 20, "the catalogue")
        yield stack


def start_all_but_webhooks(stack: Stack) -> None:
    """Start what the API needs: nobody is to connect to the hosts that are made up."""
    stack.workers = stack.worker("compute", "mail", "rescuer")
    stack.workers.start()
    stack.api.start()


def test_the_document_of_a_running_errand_is_valid(stack: Stack) -> None:
    document = stack.get("/apispec.json").json()

    assert {"/operations/primes", "/operations/{name}", "/schedules/{name}", "/events"} <= document["paths"].keys()
    OpenAPIV30SpecValidator(document).validate()


@pytest.mark.timeout(SECONDS + 30)
def test_schemathesis_finds_nothing(stack: Stack, tmp_path: Path) -> None:
    # from a file, as it leaves out the path from which it reads a document itself
    document = tmp_path / "apispec.json"
    served = stack.get("/apispec.json").json()
    document.write_text(json.dumps(as_schemathesis_reads(served)), encoding="utf-8")
    routes = sum(map(len, served["paths"].values()))

    run = schemathesis(document, stack, tmp_path)

    print(run.stdout)  # noqa: T201  # its findings and its seed, shown where this fails, or with -s
    assert run.returncode == 0, run.stderr
    assert f"Tested: {routes}\n" in run.stdout, "every route was tested"
    assert stack.get("/readyz").json()["dependencies"]["broker"] == "up"
    assert stack.finished(stack.compute())["result"] == 40, "it still does what it is there for"


def as_schemathesis_reads(document: dict[str, Any]) -> dict[str, Any]:
    """Say two things to schemathesis that mean something else to generators of clients.

    It reads the schema of a stream as that of each event. And a batch takes items that are wrong, though nobody is
    to send them: it answers each with its problem.
    """
    for methods in document["paths"].values():
        for operation in methods.values():
            answer = operation["responses"].get("200", {})
            if "text/event-stream" in answer.get("content", {}):
                answer["content"]["text/event-stream"] = {"schema": EVENT}
    document["components"]["schemas"]["BatchRequest"]["properties"]["jobs"]["items"] = {}
    return document


def links_to(stack: Stack) -> dict[str, str]:
    """Write the links of a mail, and give their tokens by what they are for."""
    links = SignedLinks(stack.store.link_secret(), stack.url)
    job_id = stack.submit("csv_summary", {"text": "name,age\nAda,36\n"})
    stack.finished(job_id)
    urls = {"view": links.job(job_id, int(time.time()) + SECONDS + 60), "unsubscribe": links.unsubscribe("a@b.example")}
    return {purpose: url.rpartition("/")[2] for purpose, url in urls.items()}


def schemathesis(document: Path, stack: Stack, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run its command in `folder`, where it leaves what it notes."""
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml"]
    command += ["run", document, "--url", stack.url, "--no-color"]
    env = {**os.environ, "PYTHONPATH": str(HERE.parents[2]), "FUZZED_LINKS": json.dumps(links_to(stack))}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
