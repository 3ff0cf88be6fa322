"""The clients: they submit jobs over HTTP, and repeat each request with the same key until they receive an id."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from chaos.workload import PlannedJob

ANSWERS_IN = 10.0
"""Seconds that a client waits for a response before it repeats the request."""
PAUSE = 0.3
"""Seconds between two attempts."""
ASKED_TWICE = 20
"""Every this many jobs, one is submitted twice although it was accepted: the same id must come back."""


@dataclass
class ClientResults:
    """The responses that all clients received."""

    ids: dict[str, str] = field(default_factory=dict)
    """Id of each job, by its mark."""
    contradictions: list[str] = field(default_factory=list)
    """Marks that received two different ids."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Unexpected statuses and failed connections, by kind."""
    gave_up: list[str] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    """Seconds from the first attempt to the id, for each job."""


class Clients:
    """Threads that submit each planned job when it is due, and cancel those that are planned to be cancelled."""

    def __init__(
        self, urls: Sequence[str], receiver: str, planned_jobs: Sequence[PlannedJob], count: int, give_up: float
    ) -> None:
        """Share `planned_jobs` between `count` clients. Each client tries a job for `give_up` seconds at most.
        `receiver` is the URL of the webhook receiver.
        """
        self.results = ClientResults()
        self._urls, self._receiver, self._give_up = urls, receiver, give_up
        self._threads = [
            threading.Thread(target=self._submit_all, args=(number, planned_jobs[number::count]))
            for number in range(count)
        ]
        self._cancelling: list[threading.Thread] = []
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start all clients."""
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop before all jobs are submitted."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until all jobs are submitted and cancelled as planned."""
        for thread in [*self._threads, *self._cancelling]:
            thread.join()

    @property
    def busy(self) -> bool:
        """Return whether any job is left to submit."""
        return any(thread.is_alive() for thread in self._threads)

    def _submit_all(self, number: int, planned_jobs: Sequence[PlannedJob]) -> None:
        urls = itertools.cycle([*self._urls[number % len(self._urls) :], *self._urls[: number % len(self._urls)]])
        with requests.Session() as session:
            for place, job in enumerate(planned_jobs):
                if self._stopping.wait(max(0.0, self._began + job.at - time.monotonic())):
                    return
                for _ in range(2 if place % ASKED_TWICE == 0 else 1):
                    self._submit(session, urls, job)
                if job.cancel_after is not None and job.mark in self.results.ids:
                    thread = threading.Thread(target=self._cancel, args=(job,))
                    self._cancelling.append(thread)
                    thread.start()

    def _submit(self, session: requests.Session, urls: "itertools.cycle[str]", job: PlannedJob) -> None:
        began = time.monotonic()
        body = job.body | ({"webhook_url": self._receiver} if job.has_webhook else {})
        while time.monotonic() - began < self._give_up and not self._stopping.is_set():
            answer = self._ask(session, f"{next(urls)}/jobs", json=body, headers={"Idempotency-Key": job.mark})
            if answer is not None and answer.status_code == 202:
                job_id = str(answer.json()["id"])
                if self.results.ids.setdefault(job.mark, job_id) != job_id:
                    self.results.contradictions.append(job.mark)
                self.results.answers.append(time.monotonic() - began)
                return
            self._stopping.wait(PAUSE)
        self.results.gave_up.append(job.mark)

    def _cancel(self, job: PlannedJob) -> None:
        self._stopping.wait(job.cancel_after)
        urls, began = itertools.cycle(self._urls), time.monotonic()
        with requests.Session() as session:
            while time.monotonic() - began < self._give_up and not self._stopping.is_set():
                answer = self._ask(session, f"{next(urls)}/jobs/{self.results.ids[job.mark]}/cancel", well=(202, 409))
                if answer is not None and answer.status_code in {202, 409}:
                    return
                self._stopping.wait(PAUSE)
        self.results.gave_up.append(f"cancel {job.mark}")

    def _ask(
        self, session: requests.Session, url: str, well: Sequence[int] = (202,), **body: Any
    ) -> requests.Response | None:
        """POST and count unexpected outcomes; return None without a response."""
        try:
            answer = session.post(url, timeout=ANSWERS_IN, **body)
        except requests.Timeout:
            self.results.refusals["no answer"] += 1
        except requests.ConnectionError as fault:
            self.results.refusals["refused" if "refused" in str(fault) else "broken off"] += 1
        else:
            if answer.status_code not in well:
                self.results.refusals[str(answer.status_code)] += 1
            return answer
        return None
