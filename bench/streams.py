"""What do a thousand open event streams cost? `python -m bench.streams` (needs wrk; two minutes).

Starts an API of one process on an embedded Valkey, without workers, and measures in rounds, with and without streams:
requests accepted a second by 16 connections, the API's CPU time for each, memory, and the time until all streams
are told, and until all have ended. `python -m bench.streams threads`: what more of granian's own threads would cost.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from errand.process.waiting import until
from tests.e2e.test_streams import Crowd, accept, finish
from tests.support.processes import descendants
from tests.support.stack import Stack, running
from tests.support.valkey import running as running_store

STREAMS, ROUNDS, SECONDS = 1000, 5, 4
Figures = dict[str, list[float]]
POST = """
wrk.method = "POST"
wrk.body = '{"operation": "sum", "value": 30, "other": 10}'
wrk.headers["Content-Type"] = "application/json"
"""


def accepted(stack: Stack, connections: int = 16) -> tuple[float, float]:
    """Return the requests accepted a second, and the CPU time of the API for one (µs)."""
    script = stack.folder / "post.lua"
    script.write_text(POST, "utf-8")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}", "-s", str(script), f"{stack.url}/compute"]
    before = cpu_seconds(stack)
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in output, output
    requests = int(re.search(r"(\d+) requests in", output)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    return rate, (cpu_seconds(stack) - before) / requests * 1e6


def cpu_seconds(stack: Stack) -> float:
    """Return the CPU time of the API so far."""
    texts = [Path(f"/proc/{pid}/stat").read_text("utf-8") for pid in processes(stack)]
    ticks = [sum(map(int, text.rpartition(") ")[2].split()[11:13])) for text in texts]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def processes(stack: Stack) -> list[int]:
    """Return the processes of the API."""
    return [stack.api.process.pid, *descendants(stack.api.process.pid)]


def memory(stack: Stack) -> float:
    """Return the memory of the API (PSS) in MB."""
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8") for pid in processes(stack)]
    return sum(int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) for text in rollups) / 1024


def timed(begin: Callable[[], object], happened: Callable[[], bool], what: str) -> float:
    """Return the seconds from `begin()` until `happened()`."""
    started = time.perf_counter()
    begin()
    until(happened, 60, what, pause=0.001)
    return time.perf_counter() - started


def in_turn(stack: Stack, figures: Figures) -> None:
    """Measure one API, without and with streams."""
    without = accepted(stack)
    ids, before = accept(stack, STREAMS), memory(stack)
    with closing(Crowd(stack.port, [f"/jobs/{job_id}/events" for job_id in ids])) as crowd:
        until(partial(crowd.all_have, b"event: status"), 60, "all streams stand")
        figures["KB a stream"].append((memory(stack) - before) * 1024 / STREAMS)
        beside = accepted(stack)
        told = timed(partial(finish, stack, ids), crowd.all_ended, "all told")
    for name, values in (("without", without), ("with", beside)):
        figures[f"requests/s {name}"].append(values[0])
        figures[f"CPU µs a request {name}"].append(values[1])
    figures[f"s until {STREAMS} finished jobs are told"].append(told)


def measured(folder: Path, env: dict[str, str]) -> Figures:
    """Measure one API, with and without streams in turn, and how it stops."""
    figures: Figures = defaultdict(list)
    with running(folder, env, lambda stack: stack.api.start()) as stack:
        accepted(stack)
        for _ in range(ROUNDS):
            in_turn(stack, figures)
        with closing(Crowd(stack.port, ["/events"] * STREAMS)) as crowd:
            until(partial(crowd.all_have, b"retry:"), 60, "all streams stand")
            took = timed(stack.api.process.terminate, crowd.all_ended, "all ended")
            figures["s from SIGTERM to the last stream's end"].append(took)
            until(lambda: not stack.api.running, 60, "the server gone")
    return figures


def threads(folder: Path, env: dict[str, str]) -> Figures:
    """Measure what granian's own threads cost: accepting by 64 connections, without streams."""
    figures: Figures = defaultdict(list)
    for round_ in range(ROUNDS):
        for number in ("4", "256"):
            (place := folder / f"{number}-{round_}").mkdir()
            with running(place, {**env, "API_THREADS": number}, lambda stack: stack.api.start()) as stack:
                accepted(stack, 64)
                rate, cpu = accepted(stack, 64)
            figures[f"requests/s of {number} threads"].append(rate)
            figures[f"CPU µs a request of {number} threads"].append(cpu)
    return figures


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "valkey").mkdir()
        with running_store(folder / "valkey") as store:
            env = {"REDIS_URL": store.url(), "AMQP_URI": store.fresh_url(), "MAIL_ENABLED": "false"}
            (folder / "api").mkdir()
            measure = threads if "threads" in sys.argv else measured
            for what, values in measure(folder / "api", env).items():
                print(f"{what}: {statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})")


if __name__ == "__main__":
    main()
