"""A client in one act: asks the APIs in turn, thinks of jobs, and puts down in the books what it is told.

Stands under `acts.py`. Next: `calls.py`, which speaks HTTP.
"""

import time
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.status import FINAL
from soak.books import Books
from soak.calls import SoakAnswer, SoakCaller, Unexpected
from soak.wishes import WISHES, SoakJob

POLLS_EVERY = 0.5
POLLS = 100
"""Looks at a job after which a client gives up."""


@dataclass
class Visitor:
    """One client in one act.

    `receiver` is where webhooks go; `number` is the act's, by which it chooses among the APIs and by chance.
    """

    caller: SoakCaller
    books: Books
    receiver: str
    number: int
    random: Random
    answers: list[float]
    """Seconds in which jobs were accepted, of all visitors."""

    def wish(self, *names: str) -> SoakJob:
        """Think of a job, one of these or any."""
        return WISHES.choose(self.random, names)

    def body(self, wish: SoakJob) -> dict[str, Any]:
        """Write what is asked for, with what chance adds: whom to tell, a priority, tags."""
        body = {"operation": wish.operation, "arguments": wish.arguments, **wish.options}
        body["tags"] = [f"order:{self.number}", self.random.choice(["red", "green", "blue"])]
        if wish.mailed and self.random.random() < 0.2:
            body["email"] = f"owner-{self.number}@owner.test"
        if wish.mailed and self.random.random() < 0.2:
            body["webhook_url"] = self.receiver
        if (priority := self.random.choice(["low", "normal", "normal", "high"])) != "normal":
            body["priority"] = priority
        return body

    def ask(
        self, method: str, path: str, body: Any = None, expect: tuple[int, ...] = (200,), **headers: str
    ) -> SoakAnswer:
        """Ask one of the APIs, the next one each time."""
        self.number += 1
        return self.caller.call(self.number, method, path, body, expect, **headers)

    def submit(self, wish: SoakJob, **headers: str) -> str:
        """POST a job and give its id."""
        body = self.body(wish)
        answer = self.ask("POST", "/jobs", body, (202,), **headers)
        self.answers.append(answer.seconds)
        job_id = str(answer.json["id"])
        self.note(job_id, wish, body)
        return job_id

    def note(self, job_id: str, wish: SoakJob, body: dict[str, Any]) -> None:
        """Put an accepted job down in the books."""
        told = {"mailed": "email" in body, "hooked": "webhook_url" in body}
        self.books.accept(job_id, wish.ends, **told, delay=wish.delay)

    def poll(self, job_id: str) -> dict[str, Any]:
        """Look at a job until it has ended."""
        for _ in range(POLLS):
            job: dict[str, Any] = self.ask("GET", f"/jobs/{job_id}").json
            if job["status"] in FINAL:
                return job
            time.sleep(POLLS_EVERY)
        raise Unexpected(f"GET /jobs/…: {job['status']} after {POLLS * POLLS_EVERY:.0f} s")

    def check(self, wish: SoakJob, job: dict[str, Any]) -> None:
        """Complain of an ending that is not what was asked for."""
        right = job["status"] in wish.ends
        if job["status"] == "succeeded":
            right = right and job["result"] == wish.result
        if not right:
            ending = job.get("result") or job.get("error")
            raise Unexpected(f"{wish.operation} {wish.arguments}: {job['status']} {ending}")
