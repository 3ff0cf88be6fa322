"""How close to its ceiling does one worker process come when jobs only wait? `python -m bench.sleepers` (six minutes).

Each job sleeps for 100 ms, like a call to a remote service, so the ceiling is ten jobs a second for each slot. The
queue is full before the worker starts; counting begins once each slot has been used twice. Redis doesn't rewrite its
append-only file during the measurement. With BENCH_PY_PEERS, the interpreter of the peers' benchmark, one process each
of taskiq, Dramatiq and Celery does the same in the same rounds, on the same RabbitMQ and Redis.
`python -m bench.sleepers 1000` measures this number of slots only.
"""

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep
from uuid import uuid4

from bench.common import Env, cpu_seconds, environment, fill, servers, settings_of, spread, table
from bench.operations import SECONDS as SLEEPS
from bench.streams import Figures
from errand.process.waiting import until
from errand.store import NewJob, Store
from schemas.operations import COMPUTE, Weight, queue_of
from tests.support.processes import ROOT, Running
from tests.support.rabbitmq import Node, vhost
from tests.support.stack import Worker
from tests.support.valkey import Server

SLOTS = [int(each) for each in sys.argv[1:] if each.isdigit()] or [100, 300, 1000]
ROUNDS, SECONDS, GOAL = 3, 5, 98
PYTHON = os.environ.get("BENCH_PY_PEERS", "")
APP = "bench.peers_sleep"
PEERS = {
    "taskiq, async": "-m taskiq worker {app}:broker --workers 1 --max-async-tasks {slots} --max-prefetch {slots}",
    "Dramatiq, threads": "-m dramatiq {app} -p 1 -t {slots}",
    "Celery, threads": "-m celery -A {app} worker -P threads -c {slots} -l WARNING",
}
MOST_OF_PEERS = 15_000
"""Most jobs queued for a peer: peers with more slots than these jobs fill don't come near their ceiling."""


def jobs_for(slots: int) -> int:
    """Return the number of jobs that last until the end at the ceiling."""
    return int(slots / SLEEPS * (SECONDS + 1))


def measured(worker: Running, count: Callable[[], int], jobs: int, slots: int) -> tuple[float, float]:
    """Return how many jobs the worker ends in a second, and the CPU cores it takes; while all slots have work."""
    try:
        worker.start()
        until(lambda: count() >= 2 * slots, 60, "two jobs in each slot", pause=0.01)
        first, began, cpu = count(), perf_counter(), cpu_seconds(worker.process.pid)
        while (last := count()) < jobs - 2 * slots and perf_counter() < began + SECONDS:
            sleep(0.005)
        took = perf_counter() - began
        return (last - first) / took, (cpu_seconds(worker.process.pid) - cpu) / took
    finally:
        worker.kill9()


def errand(folder: Path, env: Env, slots: int) -> tuple[float, float]:
    """Measure a worker of Errand."""
    store, jobs = Store.connect(settings_of(env)), jobs_for(slots)
    fill(store, env, [NewJob(str(uuid4()), "nap", "{}", queue=queue_of(COMPUTE, Weight.IO)) for _ in range(jobs)])
    worker = Worker([COMPUTE], folder / "worker.log", {**env, "IO_SLOTS": str(slots), "OPERATIONS": "bench.operations"})
    return measured(worker, lambda: store.client.zcard(store.keys.jobs_in("succeeded")), jobs, slots)


def peer(folder: Path, env: Env, slots: int, name: str) -> tuple[float, float]:
    """Measure a worker of a peer by the results in its database."""
    store, jobs = Store.connect(settings_of(env)), min(jobs_for(slots), MOST_OF_PEERS)
    env = {**env, "BENCH_PEER": name, "SLOTS": str(slots)}
    subprocess.run([PYTHON, "-m", APP, str(jobs)], cwd=ROOT, env={**os.environ, **env}, check=True)
    before = store.client.dbsize()  # Celery and its like keep a key or two of their own
    command = [PYTHON, *PEERS[name].format(app=APP, slots=slots).split()]
    worker = Running(name, command, folder / "peer.log", env=env)
    return measured(worker, lambda: store.client.dbsize() - before, jobs, slots)


def contestant(folder: Path, node: Node, redis: Server, slots: int, name: str) -> tuple[float, float]:
    """Measure one of them, on a virtual host and a database of its own."""
    env = environment(node, redis)
    with redis.admin() as admin:
        admin.config_set("auto-aof-rewrite-percentage", 0)
    told = errand(folder, env, slots) if name == "Errand" else peer(folder, env, slots, name)
    with redis.admin() as admin:
        admin.flushall()
    node.rabbitmqctl("delete_vhost", vhost(env["AMQP_URI"]))  # so that leftovers don't slow the next peer
    return told


def main() -> None:
    figures: dict[tuple[str, int], Figures] = defaultdict(lambda: defaultdict(list))
    if not PYTHON:
        sys.stderr.write("bench: BENCH_PY_PEERS names no interpreter, so Errand runs alone\n")
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as (node, redis):
        for _ in range(ROUNDS):
            for slots in SLOTS:
                for name in ("Errand", *(PEERS if PYTHON else ())):
                    rate, cores = contestant(Path(folder), node, redis, slots, name)
                    figures[name, slots]["jobs/s"].append(rate)
                    figures[name, slots]["share"].append(rate * SLEEPS / slots * 100)
                    figures[name, slots]["cores"].append(cores)
    rows = [
        [name, slots, spread(told["jobs/s"]), spread(told["share"], 1), spread(told["cores"], 2)]
        for (name, slots), told in figures.items()
    ]
    table(["", "slots", "jobs/s", f"% of the ceiling (goal: {GOAL})", "cores it takes"], *rows)


if __name__ == "__main__":
    main()
