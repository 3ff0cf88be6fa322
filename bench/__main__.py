"""`make bench PEERS=…`: Errand in the peers' benchmark, on a RabbitMQ and a Redis started for it.

PEERS names the folder of that benchmark, BENCH_PY_PEERS the interpreter that its other contestants run with. BEFORE may
name another checkout of Errand, with its own .venv: it then takes part as `errand-before`, interleaved with this one.
Further arguments go to the benchmark's `bench.py`; without any, Errand runs beside Celery (acks late, confirms) and
Dramatiq (confirms), or beside BEFORE.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.rabbitmq import Node
from tests.support.valkey import redis_binary
from tests.support.valkey import running as running_store

HERE = Path(__file__).parent
PEERS = ["--peers", "errand,celery-safe,dramatiq-safe", "--no-floor"]
TWO_TREES = ["--peers", "errand,errand-before", "--no-floor"]


def contestant(folder: Path, name: str, checkout: Path, amqp: str, redis: str) -> Path:
    """Write the description of one contestant: this run's servers, and the checkout whose .venv runs it."""
    python = sys.executable if checkout == HERE.parent else str(checkout / ".venv/bin/python")
    text = (HERE / "errand.toml").read_text("utf-8")
    text = text.replace("guest@127.0.0.1:5672", f"guest@{amqp}").replace("127.0.0.1:6379", redis)
    text = text.replace(".venv/bin/python", python).replace('cwd = "."', f'cwd = "{checkout}"')
    path = folder / f"{name}.toml"
    path.write_text(text.replace('name = "errand"', f'name = "{name}"'), "utf-8")
    return path


def contestants(folder: Path, amqp: str, redis: str) -> list[str]:
    """Return the arguments that add this checkout, and the one that BEFORE names, to the benchmark."""
    added = ["--external", str(contestant(folder, "errand", HERE.parent, amqp, redis))]
    if before := os.environ.get("BEFORE"):
        path = contestant(folder, "errand-before", Path(before).resolve(), amqp, redis)
        added += ["--external", str(path)]
    return added


def main() -> int:
    """Start the servers, run the benchmark, stop the servers."""
    peers = os.environ.get("PEERS")
    if not peers or not (Path(peers) / "bench.py").exists():
        sys.stderr.write("bench: set PEERS to the folder of the peers' benchmark; bench/README.md tells how\n")
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        node = Node(folder / "rabbitmq")
        node.start()
        (folder / "redis").mkdir()
        try:
            with running_store(folder / "redis", redis_binary()) as store:
                amqp, redis = f"127.0.0.1:{node.port}", f"127.0.0.1:{store.port}"
                ctl = f"/usr/lib/rabbitmq/bin/rabbitmqctl -n {node.env['RABBITMQ_NODENAME']}"
                env = {**os.environ, **node.env, "HOME": node.env["HOME"]}
                env |= {"BENCH_AMQP": amqp, "BENCH_REDIS": redis, "BENCH_RABBITMQCTL": ctl}
                # the harness writes its logs beside itself, and that folder may be read-only
                harness = folder / "peers"
                subprocess.run(["cp", "-r", "--no-preserve=mode", peers, harness], check=True)
                python = os.environ.get("BENCH_PY_PEERS") or sys.executable
                usual = TWO_TREES if os.environ.get("BEFORE") else PEERS
                command = [python, "bench.py", *contestants(folder, amqp, redis), *(sys.argv[1:] or usual)]
                return subprocess.run(command, cwd=harness, env=env, check=False).returncode
        finally:
            node.close()


if __name__ == "__main__":
    raise SystemExit(main())
