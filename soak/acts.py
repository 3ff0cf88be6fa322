"""What clients do: each act is one client's story with one job, or a few, from POST to its end or to where it leaves.

Stands before step 1 of a job's life, and beside all others. Next: `visitor.py`; `traffic.py` lets acts happen.
"""

import itertools
import time
from collections.abc import Callable
from contextlib import suppress

from schemas.status import FINAL
from soak.calls import Unexpected
from soak.visitor import Visitor
from soak.wishes import SoakJob

STREAM_SILENCE = 60.0
"""Seconds without a word after which a client leaves a stream."""
GLANCE = 10.0
"""The same for one who leaves anyway."""


def leave(visitor: Visitor) -> None:
    """Submit a job and never come back."""
    visitor.submit(visitor.wish())


def compute(visitor: Visitor) -> None:
    """Submit a sum to the oldest endpoint, and look at it later."""
    value, other = visitor.random.randrange(10**9), visitor.random.randrange(10**9)
    answer = visitor.ask("POST", "/compute", {"operation": "sum", "value": value, "other": other}, (202,))
    visitor.answers.append(answer.seconds)
    visitor.books.accept(answer.json["id"], ("succeeded",))
    if visitor.random.random() < 0.5:
        visitor.check(SoakJob("sum", {}, result=value + other), visitor.poll(answer.json["id"]))


def poll(visitor: Visitor) -> None:
    """Submit a job and ask for it until it has ended."""
    wish = visitor.wish()
    visitor.check(wish, visitor.poll(visitor.submit(wish)))


def wait(visitor: Visitor) -> None:
    """Submit a job and wait for the answer."""
    wish = visitor.wish("sum", "nap", "primes")
    body = visitor.body(wish)
    answer = visitor.ask("POST", "/jobs", body, (200, 202), Prefer="wait=10")
    visitor.note(answer.json["id"], wish, body)
    if answer.status == 200:
        visitor.check(wish, answer.json)


def batch(visitor: Visitor) -> None:
    """Submit some jobs at once, one of them wrong."""
    wishes = [visitor.wish() for _ in range(5)]
    bodies = [visitor.body(wish) for wish in wishes]
    answer = visitor.ask("POST", "/jobs/batch", {"jobs": [*bodies, {"operation": "unheard"}]}, (202,))
    *rows, refused = answer.json["jobs"]
    for row, wish, body in zip(rows, wishes, bodies, strict=True):
        visitor.note(row["id"], wish, body)
    if "error" not in refused:
        raise Unexpected(f"POST /jobs/batch: took {refused}")


def repeat(visitor: Visitor) -> None:
    """Submit a job twice under one key: one id comes back."""
    wish, key = visitor.wish("sum"), f"key-{visitor.number}"
    body = visitor.body(wish)
    first, second = (visitor.ask("POST", "/jobs", body, (202,), Idempotency_Key=key).json["id"] for _ in range(2))
    visitor.note(first, wish, body)
    if first != second:
        raise Unexpected("POST /jobs: two ids under one key")


def watch(visitor: Visitor) -> None:
    """Submit a job that has something to say, and watch it to its end."""
    wish = visitor.wish("nap", "chat", "stumble")
    job_id = visitor.submit(wish)
    with visitor.caller.stream(visitor.number, f"/jobs/{job_id}/events", STREAM_SILENCE) as stream:
        last = [message.data["status"] for message in stream if message.event == "status"]
    if last and last[-1] not in FINAL:
        raise Unexpected(f"GET /jobs/…/events: it ended after {last}")


def glance(visitor: Visitor) -> None:
    """Open a stream of one job, or of all, and leave in the middle of it."""
    job_id = visitor.submit(visitor.wish("nap"))
    path, most = (f"/jobs/{job_id}/events", 1) if visitor.random.random() < 0.7 else ("/events", 50)
    with suppress(TimeoutError), visitor.caller.stream(visitor.number, path, GLANCE) as stream:
        for _ in itertools.islice(stream, most):
            pass


def call_off(visitor: Visitor) -> None:
    """Submit a job and cancel it, while it waits for its time or while it runs."""
    job_id = visitor.submit(visitor.wish("called off"))
    time.sleep(visitor.random.uniform(0, 1))
    visitor.ask("POST", f"/jobs/{job_id}/cancel", expect=(202,))


def delete(visitor: Visitor) -> None:
    """Submit a job, and delete it when it has ended."""
    job_id = visitor.submit(visitor.wish("sum", "chat"))
    visitor.poll(job_id)
    visitor.ask("DELETE", f"/jobs/{job_id}", expect=(204,))
    visitor.ask("GET", f"/jobs/{job_id}", expect=(404,))


def run_again(visitor: Visitor) -> None:
    """Submit a job that fails, and have it run again."""
    wish = visitor.wish("doomed")
    job_id = visitor.submit(wish)
    visitor.poll(job_id)
    visitor.books.run_again(job_id)
    visitor.ask("POST", f"/jobs/{job_id}/retry", expect=(202,))
    visitor.poll(job_id)


def schedule(visitor: Visitor) -> None:
    """Store a schedule that will not be due, look at it, and delete it."""
    path = f"/schedules/passing-{visitor.number}"
    body = {"cron": "0 0 29 2 *", "operation": "sum", "arguments": {"value": 1, "other": 2}}
    visitor.ask("PUT", path, body, (201,))
    visitor.ask("GET", path)
    visitor.ask("DELETE", path, expect=(204,))


def look_around(visitor: Visitor) -> None:
    """Ask for what operators and pages ask for."""
    paths = ("/jobs?limit=20", "/jobs?status=failed", "/jobs?tag=red&operation=sum", "/metrics", "/healthz", "/readyz")
    visitor.ask("GET", visitor.random.choice((*paths, "/operations", "/apispec.json", "/schedules")))


def blunder(visitor: Visitor) -> None:
    """Ask for what can't be had."""
    match visitor.random.randrange(4):
        case 0:
            visitor.ask("POST", "/jobs", {"operation": f"unheard-{visitor.number}"}, (400, 404, 422))
        case 1:
            visitor.ask("POST", "/compute", {"operation": "sum", "value": "30", "other": 10}, (400, 422))
        case 2:
            visitor.ask("GET", f"/jobs/no-job-{visitor.number}", expect=(404,))
        case _:
            visitor.ask("GET", f"/nowhere/{visitor.number}", expect=(404,))


ACTS: dict[Callable[[Visitor], None], int] = {
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
"""How many of a hundred acts are of each kind."""
