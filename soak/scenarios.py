"""What clients do: each scenario is one client's work with one job or a few, from POST until the client leaves."""

import itertools
import time
from collections.abc import Callable
from contextlib import suppress

from schemas.status import FINAL
from soak.client import SoakClient
from soak.http_client import UnexpectedResponse
from soak.workload import SoakJob

STREAM_SILENCE = 60.0
"""Seconds of silence after which a client leaves a stream."""
GLANCE = 10.0
"""The same for a client that leaves early."""


def leave(client: SoakClient) -> None:
    """Submit a job and never come back."""
    client.submit(client.new_job())


def compute(client: SoakClient) -> None:
    """Submit a sum to `/compute`; half of the clients check its result."""
    value, other = client.random.randrange(10**9), client.random.randrange(10**9)
    answer = client.ask("POST", "/compute", {"operation": "sum", "value": value, "other": other}, (202,))
    client.answers.append(answer.seconds)
    client.tracker.accept(answer.json["id"], ("succeeded",))
    if client.random.random() < 0.5:
        client.check(SoakJob("sum", {}, result=value + other), client.poll(answer.json["id"]))


def poll(client: SoakClient) -> None:
    """Submit a job and poll it until it has ended."""
    job = client.new_job()
    client.check(job, client.poll(client.submit(job)))


def wait(client: SoakClient) -> None:
    """Submit a job with `Prefer: wait`."""
    job = client.new_job("sum", "nap", "primes")
    body = client.body(job)
    answer = client.ask("POST", "/jobs", body, (200, 202), Prefer="wait=10")
    client.note(answer.json["id"], job, body)
    if answer.status == 200:
        client.check(job, answer.json)


def batch(client: SoakClient) -> None:
    """Submit several jobs at once, one of them invalid."""
    jobs = [client.new_job() for _ in range(5)]
    bodies = [client.body(job) for job in jobs]
    answer = client.ask("POST", "/jobs/batch", {"jobs": [*bodies, {"operation": "unheard"}]}, (202,))
    *rows, refused = answer.json["jobs"]
    for row, job, body in zip(rows, jobs, bodies, strict=True):
        client.note(row["id"], job, body)
    if "error" not in refused:
        raise UnexpectedResponse(f"POST /jobs/batch: took {refused}")


def repeat(client: SoakClient) -> None:
    """Submit a job twice with the same key: the same id must come back."""
    job, key = client.new_job("sum"), f"key-{client.number}"
    body = client.body(job)
    first, second = (client.ask("POST", "/jobs", body, (202,), Idempotency_Key=key).json["id"] for _ in range(2))
    client.note(first, job, body)
    if first != second:
        raise UnexpectedResponse("POST /jobs: two ids under one key")


def watch(client: SoakClient) -> None:
    """Submit a job that reports progress, and watch it to its end."""
    job = client.new_job("nap", "chat", "stumble")
    job_id = client.submit(job)
    with client.caller.stream(client.number, f"/jobs/{job_id}/events", STREAM_SILENCE) as stream:
        last = [message.data["status"] for message in stream if message.event == "status"]
    if last and last[-1] not in FINAL:
        raise UnexpectedResponse(f"GET /jobs/…/events: it ended after {last}")


def glance(client: SoakClient) -> None:
    """Open a stream of one job or of all jobs, and leave before its end."""
    job_id = client.submit(client.new_job("nap"))
    path, most = (f"/jobs/{job_id}/events", 1) if client.random.random() < 0.7 else ("/events", 50)
    with suppress(TimeoutError), client.caller.stream(client.number, path, GLANCE) as stream:
        for _ in itertools.islice(stream, most):
            pass


def call_off(client: SoakClient) -> None:
    """Submit a job and cancel it while it waits or runs."""
    job_id = client.submit(client.new_job("called off"))
    time.sleep(client.random.uniform(0, 1))
    client.ask("POST", f"/jobs/{job_id}/cancel", expect=(202,))


def delete(client: SoakClient) -> None:
    """Submit a job, and delete it after its end."""
    job_id = client.submit(client.new_job("sum", "chat"))
    client.poll(job_id)
    client.ask("DELETE", f"/jobs/{job_id}", expect=(204,))
    client.ask("GET", f"/jobs/{job_id}", expect=(404,))


def run_again(client: SoakClient) -> None:
    """Submit a job that fails, and retry it."""
    job = client.new_job("doomed")
    job_id = client.submit(job)
    client.poll(job_id)
    client.tracker.run_again(job_id)
    client.ask("POST", f"/jobs/{job_id}/retry", expect=(202,))
    client.poll(job_id)


def schedule(client: SoakClient) -> None:
    """Store a schedule that is not due during the test, read it, and delete it."""
    path = f"/schedules/passing-{client.number}"
    body = {"cron": "0 0 29 2 *", "operation": "sum", "arguments": {"value": 1, "other": 2}}
    client.ask("PUT", path, body, (201,))
    client.ask("GET", path)
    client.ask("DELETE", path, expect=(204,))


def look_around(client: SoakClient) -> None:
    """Read one of the resources that operators and pages use."""
    paths = ("/jobs?limit=20", "/jobs?status=failed", "/jobs?tag=red&operation=sum", "/metrics", "/healthz", "/readyz")
    client.ask("GET", client.random.choice((*paths, "/operations", "/apispec.json", "/schedules")))


def blunder(client: SoakClient) -> None:
    """Send a request that must be refused."""
    match client.random.randrange(4):
        case 0:
            client.ask("POST", "/jobs", {"operation": f"unheard-{client.number}"}, (400, 404, 422))
        case 1:
            client.ask("POST", "/compute", {"operation": "sum", "value": "30", "other": 10}, (400, 422))
        case 2:
            client.ask("GET", f"/jobs/no-job-{client.number}", expect=(404,))
        case _:
            client.ask("GET", f"/nowhere/{client.number}", expect=(404,))


SCENARIOS: dict[Callable[[SoakClient], None], int] = {
    leave: 34,
    compute: 15,
    poll: 10,
    wait: 8,
    batch: 4,
    repeat: 4,
    watch: 6,
    glance: 4,
    call_off: 3,
    delete: 4,
    run_again: 1,
    schedule: 1,
    look_around: 3,
    blunder: 3,
}
"""Shares of the scenarios, in percent."""
