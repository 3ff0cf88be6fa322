"""Where does the time go, of accepting a job and of running it? `python -m bench.profile` (half a minute).

Runs both in this process, on a real Redis: the WSGI call of `POST /compute`, without granian before it; and a worker's
claim, attempt and commit, in batches and one at a time. Prints the CPU time of each for a job (µs), what Redis itself
needed, and the share of each library by cProfile, which counts small functions for more than they cost.
"""

import cProfile
import io
import pstats
import re
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    from api.app import create_app
    from workers.compute.executor import Executor

from werkzeug.test import EnvironBuilder

from errand.settings import Settings
from errand.store import Store
from tests.support.api import SilentRelay
from tests.support.jobs import accept_many, claim
from tests.support.valkey import redis_binary
from tests.support.valkey import running as running_store
from workers.dependencies import WorkerStore

JOBS, WARM = 4000, 400
BATCH = 250
BODY = b'{"operation":"sum","value":30,"other":10}'
OURS = re.compile(r"/(api|errand|schemas|workers)/")
LIBRARY = re.compile(r"site-packages/([^/]+?)(?:\.py)?(?:/|$)")
BUILTIN_OF = {"recv": "waiting for Redis", "send": "writing to Redis", "hiredis": "redis", "pydantic": "pydantic"}


def owner(place: tuple[str, int, str]) -> str:
    """Name the library a function belongs to."""
    file, _, function = place
    if match := OURS.search(file):
        return f"our {match[1]}"
    if match := LIBRARY.search(file):
        return match[1]
    return next((whose for part, whose in BUILTIN_OF.items() if part in function), "Python")


def measure(name: str, store: Store, act: Callable[[], object], jobs: int, each: int = 1) -> None:
    """Run `act`, which handles this many jobs a call, for `jobs` jobs; print their cost, then profile as many."""
    store.client.config_resetstat()
    began = time.process_time()
    for _ in range(jobs // each):
        act()
    cpu = (time.process_time() - began) / jobs * 1e6
    scripts = store.client.info("commandstats").get("cmdstat_evalsha", {})
    redis = scripts.get("usec", 0) / jobs
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(jobs // each):
        act()
    profile.disable()
    shares: defaultdict[str, float] = defaultdict(float)
    for place, (_, _, own, _, _) in pstats.Stats(profile).stats.items():
        shares[owner(place)] += own
    total = sum(shares.values())
    print(f"\n### {name}\n\n{cpu:.0f} µs of CPU here, {redis:.0f} µs in Redis' script\n\n| where | share |\n|---|---|")
    for whose, own in sorted(shares.items(), key=lambda item: -item[1]):
        if own / total >= 0.01:
            print(f"| {whose} | {own / total:.0%} |")


def main() -> int:
    """Measure both sides."""
    with tempfile.TemporaryDirectory() as name, running_store(Path(name), redis_binary()) as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        settings = Settings(_env_file=None, redis_url=url, mail_enabled=False)
        store = Store.connect(settings)
        app = create_app(settings, store, SilentRelay())
        environ = EnvironBuilder(
            method="POST", path="/compute", data=BODY, content_type="application/json"
        ).get_environ()

        def accept() -> None:
            answer = app({**environ, "wsgi.input": io.BytesIO(BODY)}, lambda *_: lambda _: None)
            b"".join(answer)

        executor = Executor(WorkerStore(store, settings), settings)

        def run(most: int) -> None:
            leases = claim(store, most=most)
            store.commit(executor.run_here(leases))

        for _ in range(WARM):
            accept()
        measure("Accept: POST /compute", store, accept, JOBS)
        accept_many(store, 5 * JOBS)
        for _ in range(WARM // BATCH + 1):
            run(BATCH)
        measure(f"Run: claim, attempt, commit, {BATCH} at a time", store, lambda: run(BATCH), JOBS, BATCH)
        measure("Run: claim, attempt, commit, one at a time", store, lambda: run(1), JOBS // 4)
    return 0


if __name__ == "__main__":
    sys.exit(main())
