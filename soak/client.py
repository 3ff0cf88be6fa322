"""A client in one scenario: calls the APIs in turn, generates jobs, and reports accepted jobs to the tracker.

Next: `http_client.py`.
"""

import time
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.status import FINAL
from soak.http_client import ApiResponse, HttpClient, UnexpectedResponse
from soak.job_tracker import JobTracker
from soak.workload import WORKLOAD, SoakJob

POLLS_EVERY = 0.5
POLLS = 100
"""Number of polls after which a client gives up."""


@dataclass
class SoakClient:
    """One client in one scenario.

    `receiver` is the URL for webhooks. `number` is the number of the scenario; the client chooses an API by it.
    """

    caller: HttpClient
    tracker: JobTracker
    receiver: str
    number: int
    random: Random
    answers: list[float]
    """Seconds until each job was accepted, of all clients."""

    def new_job(self, *names: str) -> SoakJob:
        """Generate a job of one of these kinds, or of any kind."""
        return WORKLOAD.choose(self.random, names)

    def body(self, job: SoakJob) -> dict[str, Any]:
        """Write the request body, with a random choice of address, webhook, priority and tags."""
        body = {"operation": job.operation, "arguments": job.arguments, **job.options}
        body["tags"] = [f"order:{self.number}", self.random.choice(["red", "green", "blue"])]
        if job.mailed and self.random.random() < 0.2:
            body["email"] = f"owner-{self.number}@owner.test"
        if job.mailed and self.random.random() < 0.2:
            body["webhook_url"] = self.receiver
        if (priority := self.random.choice(["low", "normal", "normal", "high"])) != "normal":
            body["priority"] = priority
        return body

    def ask(
        self, method: str, path: str, body: Any = None, expect: tuple[int, ...] = (200,), **headers: str
    ) -> ApiResponse:
        """Call one of the APIs, the next one each time."""
        self.number += 1
        return self.caller.call(self.number, method, path, body, expect, **headers)

    def submit(self, job: SoakJob, **headers: str) -> str:
        """Post a job and return its id."""
        body = self.body(job)
        answer = self.ask("POST", "/jobs", body, (202,), **headers)
        self.answers.append(answer.seconds)
        job_id = str(answer.json["id"])
        self.note(job_id, job, body)
        return job_id

    def note(self, job_id: str, job: SoakJob, body: dict[str, Any]) -> None:
        """Report an accepted job to the tracker."""
        notified = {"mailed": "email" in body, "has_webhook": "webhook_url" in body}
        self.tracker.accept(job_id, job.ends, **notified, delay=job.delay)

    def poll(self, job_id: str) -> dict[str, Any]:
        """Poll a job until it has ended."""
        for _ in range(POLLS):
            report: dict[str, Any] = self.ask("GET", f"/jobs/{job_id}").json
            if report["status"] in FINAL:
                return report
            time.sleep(POLLS_EVERY)
        raise UnexpectedResponse(f"GET /jobs/…: {report['status']} after {POLLS * POLLS_EVERY:.0f} s")

    def check(self, job: SoakJob, report: dict[str, Any]) -> None:
        """Raise UnexpectedResponse if the job did not end as expected."""
        right = report["status"] in job.ends
        if report["status"] == "succeeded":
            right = right and report["result"] == job.result
        if not right:
            ending = report.get("result") or report.get("error")
            raise UnexpectedResponse(f"{job.operation} {job.arguments}: {report['status']} {ending}")
