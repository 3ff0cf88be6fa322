"""Shared by the benchmarks: servers, filling a queue, CPU times, the table at the end."""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from errand.broker.messages import doorbell
from errand.broker.publisher import Publisher
from errand.settings import Settings
from errand.store import NewJob, Store
from tests.support.processes import ROOT, descendants
from tests.support.rabbitmq import Node
from tests.support.valkey import Server, redis_binary
from tests.support.valkey import running as running_store

AT_ONCE = 1000
"""Number of jobs accepted, and doorbells published, in one step when a queue is filled."""

Env = dict[str, str]


@contextmanager
def servers(folder: Path) -> Iterator[tuple[Node, Server]]:
    """Run RabbitMQ and Redis (append-only file, synced every second) as the peers' benchmark does."""
    node = Node(folder / "rabbitmq")
    node.start()
    try:
        (folder / "redis").mkdir()
        with running_store(folder / "redis", redis_binary()) as store:
            yield node, store
    finally:
        node.close()


def environment(node: Node, store: Server) -> Env:
    """Return the settings of an Errand on these servers: without mail, its API as in `errand.toml`."""
    addresses = {"AMQP_URI": node.fresh_uri(), "REDIS_URL": store.fresh_url()}
    return {**addresses, "MAIL_ENABLED": "false", "API_PROCESSES": "2", "API_THREADS": "4"}


def settings_of(env: Env) -> Settings:
    """Read only these settings."""
    return Settings(_env_file=None, **{name.lower(): value for name, value in env.items()})


def clean(store: Store, env: Env) -> None:
    """Remove all jobs and doorbells of earlier measurements."""
    subprocess.run([sys.executable, "-m", "bench.purge"], cwd=ROOT, env={**os.environ, **env}, check=True)
    store.client.flushdb()


def fill(store: Store, env: Env, jobs: Sequence[NewJob]) -> None:
    """Queue the jobs and publish their doorbells, as an API does."""
    publisher = Publisher(env["AMQP_URI"])
    for start in range(0, len(jobs), AT_ONCE):
        some = jobs[start : start + AT_ONCE]
        store.accept(some)
        publisher.publish([doorbell(job.queue, job.id) for job in some])
        store.confirmed([job.id for job in some])
    publisher.close()


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds so far of a process and its descendants."""
    texts = [Path(f"/proc/{each}/stat").read_text("utf-8") for each in (pid, *descendants(pid))]
    ticks = sum(sum(map(int, text.rpartition(") ")[2].split()[11:13])) for text in texts)
    return ticks / os.sysconf("SC_CLK_TCK")


def script_time(store: Store) -> tuple[int, float]:
    """Return the number of scripts run since Redis' statistics were reset, and the time of one (µs)."""
    script: dict[str, Any] = store.client.info("commandstats")["cmdstat_evalsha"]
    return int(script["calls"]), script["usec"] / script["calls"]


def spread(values: Iterable[float], digits: int = 0) -> str:
    """Write the median, with minimum and maximum in parentheses."""
    values = list(values)
    middle, least, most = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least}–{most})"


def table(*rows: Sequence[object]) -> None:
    """Print rows as a table with the first row as its header."""
    head, *rest = [f"| {' | '.join(map(str, row))} |" for row in rows]
    print("\n".join([head, "|---" * len(rows[0]) + "|", *rest]))
