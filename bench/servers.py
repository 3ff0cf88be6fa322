"""Which server has both speed and streams? `python -m bench.servers` (needs wrk, and BENCH_PY_PEERS; five minutes).

The same API in one process under granian, under gunicorn with a thread for each connection and under gunicorn with
gevent, in turns on one Valkey: requests accepted a second by 16 connections without and beside a thousand open event
streams, the API's CPU time for each, and its memory. BENCH_PY_PEERS is the interpreter of the peers' benchmark, which
has gunicorn and gevent; all else comes from this environment.
"""

import os
import sys
import sysconfig
import tempfile
from collections import defaultdict
from pathlib import Path

from bench.common import spread, table
from bench.streams import STREAMS, Figures, accepted, in_turn
from tests.support.processes import ROOT, Running
from tests.support.stack import Stack, running
from tests.support.valkey import running as running_store

ROUNDS = 3
GRANIAN = "granian"
MOST = str(STREAMS + 100)
OTHERS = {"gunicorn, threads": ["-k", "gthread", "--threads", MOST], "gunicorn, gevent": ["-k", "gevent"]}


def start(stack: Stack, name: str) -> None:
    """Start the API under this server."""
    if name != GRANIAN:
        command = [os.environ["BENCH_PY_PEERS"], "-m", "gunicorn", "bench.elsewhere:make()", *OTHERS[name]]
        command += ["--worker-connections", MOST, "--keep-alive", "60", "--log-level", "warning"]
        command += ["-b", f"127.0.0.1:{stack.port}"]
        env = {**stack.env, "PYTHONPATH": os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])}
        stack.api = Running("api", command, stack.folder / "api.log", env=env, ready=stack.answers, cwd=stack.folder)
    stack.api.start()


def main() -> None:
    if "BENCH_PY_PEERS" not in os.environ:
        sys.exit("BENCH_PY_PEERS must name the interpreter of the peers' benchmark: it has gunicorn and gevent.")
    figures: dict[str, Figures] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as folder, running_store(Path(folder)) as store:
        for round_ in range(ROUNDS):
            for name in (GRANIAN, *OTHERS):
                env = {"REDIS_URL": store.url(), "AMQP_URI": store.fresh_url(), "MAIL_ENABLED": "false"}
                (place := Path(folder) / f"{name}-{round_}").mkdir()
                with running(place, env, lambda stack, name=name: start(stack, name)) as stack:
                    accepted(stack)
                    in_turn(stack, figures[name])
    columns = list(figures[GRANIAN])
    table(["", *columns], *([name, *(spread(told[column], 2) for column in columns)] for name, told in figures.items()))


if __name__ == "__main__":
    main()
