"""Does a job cost the same in a full store, and what memory does it take? `python -m bench.growth` (2 minutes, 3 GB).

Two Redis servers side by side: one is empty, the other has a million jobs that have ended and 100,000 that wait,
brought there by the product's own scripts. In turns of a second, on both: single jobs are accepted, then claimed and
committed fifty at a time; as many as were accepted, so that both stay as they are. The same on the embedded server:
`python -m bench.growth valkey`; a number instead of a million: `python -m bench.growth 10000`.

Both write their append-only file, synced every second, but don't rewrite it meanwhile. No worker or API runs.
"""

import os
import socket
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from uuid_utils import uuid7

from bench.common import AT_ONCE, script_time, settings_of, spread, table
from errand.process.waiting import until
from errand.store import Lease, NewJob, Outcome, Store
from schemas.operations import COMPUTE
from schemas.status import Status
from tests.support.jobs import new_job
from tests.support.valkey import redis_binary, running

JOBS = next((int(each) for each in sys.argv[1:] if each.isdigit()), 1_000_000)
WAITING, ROUNDS, TURN, MOST = JOBS // 10, 15, 1000, 50
EVENTS, EVENTS_OF_A_JOB = 21_000, 3
"""The length to which the stream of events is trimmed, with a margin; and the events of one job."""
WORKER = f"{socket.gethostname()}:{os.getpid()}"
GOALS = "goal: 0.90 to 1.10", "goal: at most 1024"


def sums(count: int) -> list[NewJob]:
    """Describe plain sums, as `POST /compute` does."""
    return [new_job(id=str(uuid7())) for _ in range(count)]


def accept(store: Store, count: int) -> None:
    """Queue jobs, as an API does that has published their doorbells."""
    store.accept(jobs := sums(count))
    store.confirmed([job.id for job in jobs])


def claim(store: Store, most: int) -> list[Lease]:
    return store.claim(COMPUTE, most, WORKER, 600)


def commit(store: Store, leases: Sequence[Lease]) -> None:
    store.commit([Outcome(lease, Status.SUCCEEDED, "40") for lease in leases])


def fill(store: Store, ended: int) -> None:
    """Finish jobs, many at a time."""
    for done in range(0, ended, AT_ONCE):
        accept(store, AT_ONCE)
        commit(store, claim(store, AT_ONCE))
        if sys.stderr.isatty():
            end = "\n" if done + AT_ONCE >= ended else ""
            sys.stderr.write(f"\r{done + AT_ONCE:,} of {ended:,} jobs{end}")


def sync(store: Store) -> None:
    """Turn on the append-only file, which was off while the store was filled."""
    store.client.config_set("auto-aof-rewrite-percentage", 0)
    store.client.config_set("appendonly", "yes")

    def written() -> bool:
        told = store.client.info("persistence")
        return not (told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])

    until(written, 300, "the append-only file")


def settle(store: Store) -> None:
    """Let Redis finish its incremental rehashing, which moves a part of a grown table with each access.

    A store that no longer grows has finished it; one that was just filled is in the middle.
    """
    for _ in range(0, 2 * store.client.dbsize(), AT_ONCE):
        store.client.exists(*["nobody"] * AT_ONCE)
        for key in (store.keys.jobs, f"{store.keys.prefix}operation:sum", store.keys.jobs_in("succeeded")):
            store.client.zmscore(key, ["nobody"] * AT_ONCE)


def timed(store: Store, calls: Sequence[Callable[[], Any]]) -> tuple[float, float]:
    """Return the number of these calls a second, and Redis' own time for one (µs)."""
    store.client.config_resetstat()
    began = perf_counter()
    for call in calls:
        call()
    took = perf_counter() - began
    return len(calls) / took, script_time(store)[1]


def turn(store: Store) -> dict[str, tuple[float, float]]:
    """Accept jobs one by one, then claim and commit as many."""
    leases: list[list[Lease]] = []
    jobs = sums(TURN)
    told = {"accept 1": timed(store, [partial(store.accept, [job]) for job in jobs])}
    store.confirmed([job.id for job in jobs])
    told[f"claim {MOST}"] = timed(store, [lambda: leases.append(claim(store, MOST))] * (TURN // MOST))
    told[f"commit {MOST}"] = timed(store, [partial(commit, store, some) for some in leases])
    assert sum(map(len, leases)) == TURN, "as many as were accepted"
    return told


def forget_jobs(store: Store) -> None:
    """Delete all keys but the stream of events, which has its full length in every store in use."""
    for key in store.client.scan_iter(count=1000):
        if key != store.keys.events:
            store.client.delete(key)


def costs(empty: Store, full: Store) -> None:
    """Measure both in turns, and print what a call costs."""
    figures: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for round_ in range(ROUNDS):
        forget_jobs(empty)
        order = [(0, empty), (1, full)]
        for which, store in order if round_ % 2 else reversed(order):
            for what, (rate, micros) in turn(store).items():
                figures[f"{what}, calls/s"][which].append(rate)
                figures[f"{what}, µs of Redis"][which].append(micros)
    rows = []
    for what, (few, many) in figures.items():
        ratios = [more / less for less, more in zip(few, many, strict=True)]
        rows.append([what, spread(few), spread(many), spread(ratios, 2)])
    table(["", "empty store", f"{JOBS:,} ended, {WAITING:,} wait", f"full ÷ empty ({GOALS[0]})"], *rows)


def memory(store: Store) -> tuple[int, int]:
    """Return the bytes that the server uses, and the bytes of its data."""
    told = store.client.info("memory")
    return told["used_memory"], told["used_memory_dataset"]


def print_memory(store: Store, before: tuple[int, int]) -> None:
    """Print how the bytes of finished jobs are distributed."""
    keys, size = store.keys, partial(store.client.memory_usage, samples=0)
    ended = store.client.zcard(keys.jobs_in("succeeded"))
    records = [size(keys.job(job_id)) for job_id in store.client.zrange(keys.jobs, 0, 999)]
    lists = [keys.jobs, keys.jobs_in("succeeded"), f"{keys.prefix}operation:sum", keys.retention]
    parts = {"its record": sum(records) / len(records), **{f"`{key}`": size(key) / ended for key in lists}}
    used, data = ((after - less) / ended for after, less in zip(memory(store), before, strict=True))
    parts["the table of all keys, and what the allocator rounds up"] = used - sum(parts.values())
    rows = [[part, f"{each:.1f}"] for part, each in parts.items()]
    totals = [[f"**used_memory** ({GOALS[1]})", f"**{used:.1f}**"], ["used_memory_dataset", f"{data:.1f}"]]
    table(["", f"bytes a job, of {ended:,}"], *rows, *totals)


def main() -> None:
    binary = None if "valkey" in sys.argv else redis_binary()
    with tempfile.TemporaryDirectory() as name, ExitStack() as servers:
        stores = []
        for which in ("empty", "full"):
            (Path(name) / which).mkdir()
            server = servers.enter_context(running(Path(name) / which, binary, "--appendonly", "no"))
            stores.append(Store.connect(settings_of({"REDIS_URL": server.url()})))
            fill(stores[-1], EVENTS // EVENTS_OF_A_JOB)  # a warm-up, which also loads the scripts
            forget_jobs(stores[-1])
        empty, full = stores
        before = memory(full)
        fill(full, JOBS)
        print_memory(full, before)
        for _ in range(0, WAITING, AT_ONCE):
            accept(full, AT_ONCE)
        for store in stores:
            sync(store)
            if "growing" not in sys.argv:
                settle(store)
        costs(empty, full)


if __name__ == "__main__":
    main()
