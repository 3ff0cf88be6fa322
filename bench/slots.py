"""What does a second slot for CPU-bound jobs gain, and what does it cost the API? `python -m bench.slots` (2 minutes).

One worker counts primes, with CPU_SLOTS=1 and CPU_SLOTS=2 in turn, from a queue that is full beforehand. Meanwhile a
client posts sums at a steady pace, whatever the answers take: the time of each counts from when it was due. The floor
is what the machine gives to bare processes that do the same, without anything beside them.
`python -m bench.slots 500000000 10`: other primes, half a second of work, and another pace, 10 sums a second.
"""

import json
import multiprocessing
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from threading import Event, Thread
from time import perf_counter, sleep
from uuid import uuid4

from bench.common import clean, cpu_seconds, environment, fill, servers, spread, table
from bench.streams import Figures
from errand.process.ports import LOCALHOST
from errand.process.waiting import until
from errand.store import NewJob
from schemas.operations import COMPUTE, Weight, queue_of
from tests.support.load import SUM
from tests.support.stack import Stack, Worker, running
from workers.operations.primes import primes

BELOW, SUMS_A_SECOND = [int(each) for each in sys.argv[1:]] or [50_000_000, 50]
"""Upper limit of the counted primes (50 to 100 ms of work), and sums posted a second."""
ROUNDS, SECONDS, JOBS_A_SECOND = 3, 8, 100
BOTH = (1, 2)
COLUMNS = {
    "jobs": "jobs/s",
    "bare": "the floor, calls/s",
    "cores": "cores of the worker",
    "p50": "accept p50, ms",
    "p99": "accept p99, ms (goal: 50)",
}


def bare(slots: int) -> float:
    """Return how often a second this many bare processes count the primes."""
    with multiprocessing.Pool(slots) as pool:
        return sum(pool.map(_rate, range(slots), chunksize=1))


def _rate(_: int) -> float:
    began, times = perf_counter(), 0
    while (took := perf_counter() - began) < SECONDS:
        primes(BELOW)
        times += 1
    return times / took


@contextmanager
def posting(port: int) -> Iterator[list[float]]:
    """Post sums at a steady pace for the duration of a `with`; yields the time of each response (ms)."""
    times: list[float] = []
    over, body = Event(), json.dumps(SUM)

    def post() -> None:
        connection, due = HTTPConnection(LOCALHOST, port), perf_counter()
        while not over.wait(max(0.0, due - perf_counter())):
            connection.request("POST", "/compute", body, {"Content-Type": "application/json"})
            text = (answer := connection.getresponse()).read()
            assert answer.status == 202, text
            times.append((perf_counter() - due) * 1000)
            due += 1 / SUMS_A_SECOND

    thread = Thread(target=post)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join()


def performed(stack: Stack, slots: int) -> tuple[float, float, list[float]]:
    """Return the jobs a second of one worker, the CPU cores it uses, and how long a client waited meanwhile (ms)."""
    clean(stack.store, stack.env)
    jobs, queue = (SECONDS + 5) * JOBS_A_SECOND * slots, queue_of(COMPUTE, Weight.CPU)
    fill(stack.store, stack.env, [NewJob(str(uuid4()), "primes", f'{{"n":{BELOW}}}', queue=queue) for _ in range(jobs)])
    worker = Worker([COMPUTE], stack.folder / "worker.log", {**stack.env, "CPU_SLOTS": str(slots)})

    def done() -> int:
        return int(stack.store.client.hget(f"{stack.store.keys.prefix}totals", "primes succeeded") or 0)

    try:
        worker.start()
        until(lambda: done() >= 2 * slots, 60, "two jobs in each slot", pause=0.01)
        with posting(stack.port) as times:
            first, began, cpu = done(), perf_counter(), cpu_seconds(worker.process.pid)
            sleep(SECONDS)
            count, took = done() - first, perf_counter() - began
            cores = (cpu_seconds(worker.process.pid) - cpu) / took
        assert done() + slots <= jobs, "there was always one to do"
        return count / took, cores, times
    finally:
        worker.kill9()


def main() -> None:
    figures: Figures = defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as name,
        servers(folder := Path(name)) as (node, redis),
        running(folder, environment(node, redis), lambda stack: stack.api.start()) as stack,
    ):
        for _ in range(ROUNDS):
            for slots in BOTH:
                rate, cores, times = performed(stack, slots)
                cuts = quantiles(times, n=100)
                for what, value in (("jobs", rate), ("cores", cores), ("p50", cuts[49]), ("p99", cuts[98])):
                    figures[f"{what} {slots}"].append(value)
                figures[f"bare {slots}"].append(bare(slots))
    rows = [[f"{slots}", *(spread(figures[f"{what} {slots}"], 1) for what in COLUMNS)] for slots in BOTH]
    ratios = [
        spread((two / one for one, two in zip(figures[f"{what} 1"], figures[f"{what} 2"], strict=True)), 2)
        for what in COLUMNS
    ]
    table(["CPU_SLOTS", *COLUMNS.values()], *rows, ["2 ÷ 1 (goal: 1.9)", *ratios])


if __name__ == "__main__":
    main()
