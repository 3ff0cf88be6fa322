"""The API document of `make run`: validators find nothing in it, and clients that are generated from it work."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from openapi_spec_validator import OpenAPIV30SpecValidator

from errand.process.waiting import until
from tests.conftest import missing
from tests.e2e.test_make_run import MakeRun
from tests.support.api_document import ApiDocument

HERE = Path(__file__).parent
VENV = Path(sys.prefix)
NODE = VENV / "node"
PATH = os.pathsep.join([str(VENV / "bin"), os.environ["PATH"]])
"""Where the programs are; install_node.sh may have put Node itself into .venv."""

SUM = {"operation": "sum", "arguments": {"value": 30, "other": 10}}
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `make run`, whose workers have announced what they can do."""
    run = MakeRun(tmp_path_factory.mktemp("run"))
    try:
        run.start()
        until(lambda: "/operations/primes" in _document(run.url)["paths"], 30, "the catalogue")
        yield run.url
    finally:
        run.stop()


@pytest.fixture(scope="module")
def folder(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document, with and without the routes of the examples, and with what the validators read."""
    folder = tmp_path_factory.mktemp("document")
    (folder / "apispec.json").write_text(json.dumps(_document(url, "?examples=true")), encoding="utf-8")
    (folder / "product.json").write_text(json.dumps(_document(url)), encoding="utf-8")
    for file in (HERE / "node").iterdir():
        shutil.copy(file, folder)
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    return folder


@pytest.mark.parametrize("document", ["apispec.json", "product.json"])
def test_openapi_spec_validator_finds_nothing(folder: Path, document: str) -> None:
    OpenAPIV30SpecValidator(json.loads((folder / document).read_text())).validate()


def test_redocly_finds_nothing(folder: Path) -> None:
    documents = ["apispec.json", "product.json"]
    found = _npm(folder, "redocly", "lint", "--config", "redocly.yaml", "--format", "json", *documents)

    assert found.stdout.count('"problems": []') == len(documents), found.stdout


def test_spectral_finds_nothing(folder: Path) -> None:
    found = _npm(folder, "spectral", "lint", "--ruleset", "spectral.yaml", "--format", "json", "apispec.json")

    # within an example it takes a field called `example` for a keyword: those of csv_summary's result
    faults = [fault for fault in json.loads(found.stdout) if not {"example", "examples"} & set(fault["path"][:-1])]
    assert faults == []


def test_answers_are_as_the_document_says_also_those_of_plug_ins(url: str) -> None:
    document = _document(url, "?examples=true")
    contract, checked = ApiDocument(document), set()
    job = requests.post(f"{url}/jobs", json=SUM, headers={"Prefer": "wait=20"}, timeout=30).json()

    for path, method, operation in _requests(document):
        filled = path.replace("{job_id}", job["id"])
        for parameter in operation.get("parameters", ()):
            example = parameter.get("example", parameter["schema"].get("example", "1"))
            filled = filled.replace(f"{{{parameter['name']}}}", str(example))
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        answer = requests.request(method, f"{url}{filled}", json=body, timeout=30, allow_redirects=False)
        contract.check(method.upper(), filled, answer.status_code, answer.headers, answer.content)
        assert answer.status_code < 500, f"{method} {filled}: {answer.text}"
        checked.add((operation["tags"][0].partition(".")[0], answer.status_code // 100))

    assert {("jobs", 2), ("schedules", 2), ("operations", 2), ("examples", 2), ("jobs", 4)} <= checked


def _requests(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what can be asked, but for event streams, which have no end."""
    for path, item in document["paths"].items():
        for method in ("get", "post", "put"):
            if method in item and not path.endswith(("/events", "/stream")):
                yield path, method, item[method]


def test_a_python_client_submits_waits_lists_and_cancels(folder: Path, url: str, monkeypatch) -> None:
    # given a client, made without a warning
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "apispec.json"]
    made = _run(folder, *command, "--meta", "none", "--output-path", "made/errand_client", "--fail-on-warning")
    assert (made.returncode, "arning" in made.stdout) == (0, False), made.stdout + made.stderr
    monkeypatch.syspath_prepend(folder / "made")
    jobs, operations, schedules = (_api(name) for name in ("jobs", "operations", "schedules"))
    models, client = import_module("errand_client.models"), import_module("errand_client").Client(base_url=url)

    # when it submits jobs, one by its general and one by its own request, and waits for them
    arguments, tags = models.PrimesArguments(n=100), ["made-by-python"]
    body = models.PrimesJobRequest(models.PrimesJobRequestOperation.PRIMES, arguments, tags=tags)
    accepted = jobs.submit_job.sync(client=client, body=body)
    job = jobs.get_job.sync(accepted.id, client=client, prefer="wait=20")
    own = operations.run_primes.sync(client=client, body=models.PrimesRequest(arguments, tags=tags), prefer="wait=20")
    # and cancels one that waits
    delayed = models.SumRequest(models.SumArguments(1, 2), delay=3600, tags=tags)
    later = operations.run_sum.sync(client=client, body=delayed)
    cancelled = jobs.cancel_job.sync(later.id, client=client)
    refused = jobs.cancel_job.sync(accepted.id, client=client)
    listed = jobs.list_jobs.sync(client=client, tag=tags[0])

    # then each answer is what its type says
    assert isinstance(accepted, models.Accepted)
    assert isinstance(job, models.Job)
    assert (job.status, job.result, job.error) == (models.Status.SUCCEEDED, 25, None)
    assert isinstance(own, models.PrimesJob)
    assert (own.arguments.n, own.result) == (100, 25)
    assert (cancelled.status, cancelled.error.type_) == (models.Status.CANCELLED, "Cancelled")
    assert isinstance(refused, models.Problem)
    assert [each.id for each in listed.jobs] == [later.id, own.id, accepted.id]
    assert listed.next_ is None
    _store_schedule(schedules, models, client, "made-by-python")


def _store_schedule(schedules: Any, models: Any, client: Any, name: str) -> None:
    arguments = models.SumArguments(1, 2)
    body = models.SumScheduleRequest(
        operation=models.SumScheduleRequestOperation.SUM, arguments=arguments, cron="0 0 1 1 *"
    )
    stored = schedules.put_schedule.sync(name, client=client, body=body)
    assert (stored.name, len(stored.next_), stored.last_job) == (name, 5, None)
    assert schedules.delete_schedule.sync_detailed(name, client=client).status_code == 204


def test_a_typescript_client_submits_waits_lists_and_cancels(folder: Path, url: str) -> None:
    made = _npm(folder, "openapi-typescript", "apispec.json", "--output", "schema.d.ts")
    assert (made.returncode, "⚠" in made.stdout + made.stderr) == (0, False), made.stdout + made.stderr
    compiled = _npm(folder, "tsc", "--project", "tsconfig.json")
    assert compiled.returncode == 0, compiled.stdout

    ran = _run(folder, "node", "client.js", url)

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "waited": "succeeded",
        "result": 168,
        "cancelled": "cancelled",
        "accepted": 1,
        "listed": 4,
        "next": 5,
        "removed": 204,
        "fault": "/arguments/n",
    }


def _document(url: str, query: str = "") -> dict[str, Any]:
    document: dict[str, Any] = requests.get(f"{url}/apispec.json{query}", timeout=10).json()
    return document


def _api(tag: str) -> SimpleNamespace:
    """Import what the generated client has for a tag: a module for each request."""
    package = import_module(f"errand_client.api.{tag}")
    names = [path.stem for path in Path(package.__path__[0]).glob("*.py") if path.stem != "__init__"]
    return SimpleNamespace(**{name: import_module(f"{package.__name__}.{name}") for name in names})


def _npm(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    if not (NODE / ".installed").exists():
        missing("Node's packages are not installed (make .venv/node/.installed)")
    return _run(folder, str(NODE / "node_modules" / ".bin" / program), *arguments)


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": PATH, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
