"""How many jobs a second does `POST /jobs/batch` take? `python -m bench.batch` (needs wrk; a minute).

An API of two processes, without workers, on RabbitMQ and Redis; its relay rings the doorbells meanwhile. Four
connections post batches of as many sums as one may have, encoded beforehand. In the same rounds: the floor, which is
the accept script called with as many jobs by redis-py on one connection; and `POST /compute`, one job a request, by 16
connections of wrk.
"""

import json
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter, sleep

from bench.common import clean, cpu_seconds, environment, script_time, servers, spread, table
from bench.streams import Figures, accepted
from errand.process.ports import LOCALHOST
from schemas.requests import MOST_JOBS
from tests.support.jobs import new_job
from tests.support.stack import Stack, running
from workers.operations.loader import load

CLIENTS, ROUNDS, SECONDS, FLOOR_BATCHES, GOAL = 4, 3, 5, 50, 20_000
SUM = {"operation": "sum", "arguments": {"value": 30, "other": 10}}
BODY = json.dumps({"jobs": [SUM] * MOST_JOBS}).encode()


def begin(stack: Stack) -> None:
    """Empty store and broker, and publish only the operation `sum`; the API believes that for 15 s without a worker."""
    clean(stack.store, stack.env)
    stack.store.publish_catalogue({"sum": load(["workers.operations.arithmetic"])["sum"].spec.model_dump_json()})
    stack.store.client.config_resetstat()


def post(port: int, until: float) -> int:
    """Post batches on one connection until that time; return the number of accepted jobs."""
    connection, jobs = HTTPConnection(LOCALHOST, port), 0
    while perf_counter() < until:
        connection.request("POST", "/jobs/batch", BODY, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 202, text
        jobs += json.loads(text)["accepted"]
    connection.close()
    return jobs


def batches(stack: Stack, figures: Figures) -> None:
    """Measure the batches; then wait until the relay has published its doorbells."""
    begin(stack)
    cpu, began = cpu_seconds(stack.api.process.pid), perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        jobs = sum(pool.map(lambda _: post(stack.port, began + SECONDS), range(CLIENTS)))
    took = perf_counter() - began
    assert stack.count("accepted") >= jobs, "each is in the store"
    figures["batch"].append(jobs / took)
    calls, each = script_time(stack.store)
    figures["Redis"].append(calls * each / jobs)
    left = -1
    while left != (left := stack.store.client.zcard(stack.store.keys.outbox)):
        sleep(0.5)
    figures["left"].append(left / jobs * 100)
    figures["API"].append((cpu_seconds(stack.api.process.pid) - cpu) / jobs * 1e6)


def floor(stack: Stack, figures: Figures) -> None:
    """Measure the accept script alone, with prepared jobs."""
    begin(stack)
    calls = [[new_job() for _ in range(MOST_JOBS)] for _ in range(FLOOR_BATCHES)]
    began = perf_counter()
    for jobs in calls:
        stack.store.accept(jobs)
    figures["floor"].append(FLOOR_BATCHES * MOST_JOBS / (perf_counter() - began))


def main() -> None:
    figures: Figures = defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as name,
        servers(folder := Path(name)) as (node, redis),
        running(folder, environment(node, redis), lambda stack: stack.api.start()) as stack,
    ):
        batches(stack, defaultdict(list))  # not counted: a warm-up
        for _ in range(ROUNDS):
            batches(stack, figures)
            floor(stack, figures)
            begin(stack)
            figures["single"].append(accepted(stack)[0])
    pairs = list(zip(figures["batch"], figures["floor"], figures["single"], strict=True))
    table(
        ["", "median (least–most)"],
        [f"`POST /jobs/batch`, {MOST_JOBS} sums in each, jobs/s (goal: {GOAL})", spread(figures["batch"])],
        ["the floor: the script, one connection, jobs/s", spread(figures["floor"])],
        ["`POST /compute`, requests/s", spread(figures["single"])],
        ["batch ÷ floor", spread((batch / floor for batch, floor, _ in pairs), 2)],
        ["batch ÷ single", spread((batch / single for batch, _, single in pairs), 1)],
        ["CPU of the API for a job of a batch, relay included, µs", spread(figures["API"], 1)],
        ["time of Redis for a job of a batch, µs", spread(figures["Redis"], 1)],
        ["jobs whose doorbell is left to the rescuer, %", spread(figures["left"])],
    )


if __name__ == "__main__":
    main()
