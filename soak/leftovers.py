"""Finds leftovers in Valkey: indexes without jobs, jobs without indexes, and keys that outlive their retention."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from errand.store import Store
from schemas.status import FINAL
from soak.servers import kind_of

STANDING = frozenset(
    {
        *(
            "catalogue",
            "totals",
            "durations",
            "busy",
            "services",
            "clock",
            "events",
            "queues",
            "leader",
            "rounds",
            "turn",
        ),
        *("unsubscribed", "rate", "link_secret", "idle"),
    }
)
"""Kinds of keys that exist without jobs: one of each, or one for each queue, role or address."""
INDEXES = frozenset(
    {"jobs", "operation", "tag", "retention", "outbox", "leases", "notices", "due", "deadlines", "waiting"}
)
"""Kinds of keys that are sorted sets of jobs."""
Row = Mapping[str, str]


def stray_keys(store: Store) -> list[str]:
    """Return the names of the keys that remain when every job's retention is over."""
    return sorted(key for key in _names(store) if kind_of(key, "") not in STANDING)


def orphans(store: Store) -> list[str]:
    """Return what is inconsistent in the store while no job is running.

    The store is read twice, because jobs may expire during a read: only what is wrong both times counts.
    """
    return sorted(set(_faults(store)) & set(_faults(store)))


def _faults(store: Store) -> Iterator[str]:
    names = _names(store)
    ids = [name.removeprefix("job:") for name in names if kind_of(name, "") == "job"]
    jobs: dict[str, Row] = dict(zip(ids, _ask_all(store, "hgetall", [f"job:{job_id}" for job_id in ids]), strict=True))
    expected = _indexes(jobs)
    for name in expected.keys() | {name for name in names if kind_of(name, "") in INDEXES}:
        members: set[str] = set(store.client.zrange(f"{store.keys.prefix}{name}", 0, -1))  # type: ignore[arg-type]  # texts
        yield from (f"{name} has {member}, which does not belong there" for member in members - expected[name])
        yield from (f"{name} lacks {job_id}" for job_id in expected[name] - members)
    belongings = [name for name in names if kind_of(name, "") in {"log", "tracebacks"}]
    yield from (f"{name} is of no job" for name in belongings if name.partition(":")[2] not in jobs)
    keys = [name for name in names if kind_of(name, "") == "key"]
    for name, holder in zip(keys, _ask_all(store, "get", keys), strict=True):
        if str(holder).partition(" ")[0] not in jobs:
            yield f"{name} points to {holder}, which is no job"


def _indexes(jobs: Mapping[str, Row]) -> defaultdict[str, set[str]]:
    """Return the expected members of each index, given all jobs."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for job_id, job in jobs.items():
        names = ["retention"] if job["status"] in FINAL else []
        if "deleted" not in job:  # such a job only waits until its owner has been notified
            tags = json.loads(job.get("tags", "[]"))
            names += ["jobs", f"jobs:{job['status']}", f"operation:{job['operation']}", *(f"tag:{tag}" for tag in tags)]
        for name in names:
            found[name].add(job_id)
    return found


def _names(store: Store) -> list[str]:
    """List all keys, without their prefix."""
    prefix = store.keys.prefix
    keys: Iterable[str] = store.client.scan_iter(match=f"{prefix}*", count=1000)
    return sorted({key.removeprefix(prefix) for key in keys})


def _ask_all(store: Store, command: str, names: Sequence[str]) -> list[Any]:
    pipe = store.client.pipeline(transaction=False)
    for name in names:
        getattr(pipe, command)(f"{store.keys.prefix}{name}")
    return list(pipe.execute())
