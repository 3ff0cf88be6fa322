"""All processes of a test run: RabbitMQ, Valkey, the APIs, the workers, a mail server and a webhook receiver."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.operations import FOLDER
from chaos.plan import ChaosPlan
from chaos.receiver import Receiver
from chaos.targets import ChaosTarget
from errand.embedded.valkey import Valkey
from errand.process.waiting import until
from errand.settings import Settings
from errand.store import Store
from errand.trust.signing import new_secret
from tests.support.cluster import Cluster
from tests.support.ports import LOCALHOST, port_is_free, steady_port
from tests.support.processes import Running
from tests.support.smtp import SmtpSink

WORKERS = {"compute": 3, "mail": 2, "rescuer": 2, "webhooks": 2}
"""Number of processes of each service."""
APIS = 2
OPERATIONS = "workers.operations,chaos.operations"


class DurableValkey(Valkey):
    """A Valkey that writes each change to disk before it answers."""

    def _command(self) -> list[str]:
        return [*super()._command(), "--appendfsync", "always"]


class Deployment:
    """All processes of a run, with their addresses."""

    def __init__(self, plan: ChaosPlan, folder: Path, sink: SmtpSink, receiver: Receiver) -> None:
        """Describe the processes without starting them."""
        self.folder, self.sink, self.receiver = folder, sink, receiver
        self.executions = folder / "executions"
        self.executions.mkdir()
        self.cluster = Cluster(folder / "rabbitmq", plan.nodes)
        for node in self.cluster.nodes:
            node.server.env["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] += plan.erlang
        self.valkey = DurableValkey(folder / "valkey", steady_port())
        self.ports = [steady_port() for _ in range(APIS)]
        self.urls = [f"http://{LOCALHOST}:{port}" for port in self.ports]
        self._env = {
            "REDIS_URL": self.valkey.url(),
            "SMTP_URL": sink.url,
            "WEBHOOK_SECRET": receiver.secret,
            "GUARD_ALLOW": f"{LOCALHOST}/32",  # the receiver is on this machine
            "MAIL_TIMEOUT": "2",  # the mail server answers at once or never
            "OPERATIONS": OPERATIONS,
            "LOG_LEVEL": "INFO",
            FOLDER: str(self.executions),
            **plan.settings,
        }
        self.settings = Settings(_env_file=None, **{name.lower(): value for name, value in self._env.items()})  # type: ignore[arg-type]  # pydantic parses the texts
        self.store = Store.connect(self.settings)
        self.servers = [
            ChaosTarget("valkey", "valkey", self.valkey, lambda: self.valkey.process),
            *(
                ChaosTarget(f"rabbitmq-{number}", "rabbitmq", node, lambda node=node: node.server.process, whole=True)
                for number, node in enumerate(self.cluster.nodes, 1)
            ),
        ]
        self.processes = [
            *(self._api(number, port) for number, port in enumerate(self.ports, 1)),
            *(self._worker(service, number) for service, most in WORKERS.items() for number in range(1, most + 1)),
        ]

    @property
    def targets(self) -> list[ChaosTarget]:
        """All processes that are restarted when they end."""
        return [*self.servers, *self.processes]

    def begin(self) -> None:
        """Start everything; return once the APIs listen and the workers have announced their operations."""
        for target in self.servers:
            target.begin()
        for target in self.servers:
            target.wait()
        self.cluster.join()
        for target in self.processes:
            target.begin()
        until(lambda: "nap" in self.store.catalogue(), 60, "the workers' catalogue")
        until(lambda: not any(port_is_free(port) for port in self.ports), 60, "the APIs")

    def end(self) -> None:
        """Stop everything: first the clients of the servers, then the servers."""
        for group in (self.processes, self.servers):
            for target in group:
                target.close()
            for target in group:
                target.join()
        self.cluster.close()
        self.store.client.close()

    def log_lines(self, *words: str) -> list[str]:
        """Return the lines of all logs that contain one of these words."""
        found = []
        for log in sorted(self.folder.glob("*.log")):
            lines = log.read_text("utf-8", "replace").splitlines()
            found += [f"{log.stem}: {line}" for line in lines if any(word in line for word in words)]
        return found

    def _api(self, number: int, port: int) -> ChaosTarget:
        return self._target(f"api-{number}", "api", ["api"], number, {"PORT": str(port)})

    def _worker(self, service: str, number: int) -> ChaosTarget:
        return self._target(f"{service}-{number}", service, ["workers", service], number, {})

    def _target(self, name: str, kind: str, module: list[str], number: int, env: dict[str, str]) -> ChaosTarget:
        env = {**self._env, "AMQP_URI": self.cluster.uri(first=number), **env}
        running = Running.module(*module, log=self.folder / f"{name}.log", env=env, cwd=self.folder)
        return ChaosTarget(name, kind, running, lambda: running.process)


@contextmanager
def running_deployment(plan: ChaosPlan, folder: Path) -> Iterator[Deployment]:
    """Run a deployment for the duration of a `with`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with SmtpSink() as sink, Receiver(new_secret()) as receiver:
        deployment = Deployment(plan, folder, sink, receiver)
        try:
            deployment.begin()
            yield deployment
        finally:
            deployment.end()
