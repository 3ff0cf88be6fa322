"""The whole of Errand as real processes: an API and workers on the servers a test names."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from errand.process.waiting import until
from errand.settings import Settings
from errand.store import Store
from tests.support.ports import free_port
from tests.support.processes import Running

FINAL = {"succeeded", "failed", "cancelled"}


class Worker(Running):
    """A worker process; its log shows when it is ready."""

    def __init__(self, services: Sequence[str], log: Path, env: dict[str, str]) -> None:
        """Run these services, or all if none is named."""
        command = [sys.executable, "-m", "workers", *services]
        # not in the checkout, where a developer's .env would be read
        super().__init__(log.stem, command, log, env=env, ready=self._has_started, cwd=log.parent)
        self._earlier = 0

    def start(self) -> "Running":
        """Start the worker; the log of an earlier start does not count."""
        self._earlier = len(self.output())
        return super().start()

    def _has_started(self) -> bool:
        return "action=started" in self.output()[self._earlier :]


class Stack:
    """An API and workers, with the actions of clients and operators."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        """Describe the processes; `env` holds the addresses of the servers and the key prefix."""
        self.port = free_port()
        self.env = {"PORT": str(self.port), "API_PROCESSES": "1", **env}
        self.url = f"http://127.0.0.1:{self.port}"
        names = {name.lower(): value for name, value in self.env.items()}
        self.settings = Settings(_env_file=None, **names)
        self.store = Store.connect(self.settings)
        self.api = Running.module("api", log=folder / "api.log", env=self.env, ready=self.answers, cwd=folder)
        self.folder = folder
        self.workers = self.worker()

    def worker(self, *services: str) -> "Worker":
        """Describe a worker process: all services, or those named."""
        return Worker(services, self.folder / f"{'-'.join(services) or 'workers'}.log", self.env)

    def answers(self) -> bool:
        """Return whether the API answers at all."""
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    def post(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        """POST to the API."""
        return requests.post(self.url + path, json=json, timeout=30, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET from the API."""
        return requests.get(self.url + path, timeout=30, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        """PUT to the API."""
        return requests.put(self.url + path, json=json, timeout=30, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        """DELETE at the API."""
        return requests.delete(self.url + path, timeout=30, **options)

    def compute(self, operation: str = "sum", value: Any = 30, other: Any = 10, **fields: Any) -> str:
        """Post a computation and return its id."""
        answer = self.post("/compute", {"operation": operation, "value": value, "other": other, **fields})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def submit(self, operation: str, arguments: dict[str, Any] | None = None, **fields: Any) -> str:
        """Post a job of any operation and return its id."""
        answer = self.post("/jobs", {"operation": operation, "arguments": arguments or {}, **fields})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def status(self, job_id: str) -> str:
        """Return the job's status."""
        return str(self.get(f"/jobs/{job_id}").json()["status"])

    def finished(self, job_id: str, within: float = 30) -> dict[str, Any]:
        """Wait until the job has ended, and return it."""
        return until(lambda: self._if_final(job_id), within, f"job {job_id} final")

    def count(self, status: str) -> int:
        """Count the jobs in one status."""
        return int(self.store.client.zcard(self.store.keys.jobs_in(status)))

    def wait_for_count(self, status: str, count: int, within: float = 60) -> None:
        """Wait until so many jobs are in this status."""
        until(lambda: self.count(status) >= count, within, f"{count} jobs {status}")

    def attempts(self) -> list[int]:
        """Return the number of attempts of each job."""
        ids = self.store.client.zrange(self.store.keys.jobs, 0, -1)
        return [int(self.store.client.hget(self.store.keys.job(job_id), "attempt")) for job_id in ids]

    def stop(self) -> None:
        """Stop both cleanly."""
        self.api.stop()
        self.workers.stop()
        self.store.client.close()

    def _if_final(self, job_id: str) -> dict[str, Any] | None:
        answer = self.get(f"/jobs/{job_id}")
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        job: dict[str, Any] = answer.json()
        return job if job.get("status") in FINAL else None


@contextmanager
def running(folder: Path, env: dict[str, str], *starts: Callable[[Stack], Any]) -> Iterator[Stack]:
    """Run a stack for the duration of a `with`: both parts, or what `starts` start."""
    stack = Stack(folder, env)
    try:
        for start in starts or (lambda stack: stack.workers.start(), lambda stack: stack.api.start()):
            start(stack)
        yield stack
    finally:
        stack.stop()
