"""A real RabbitMQ for tests: a node from the system's package, or a container if Docker is available."""

import itertools
import json
import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import amqp

from errand.process.waiting import until
from tests.support.ports import LOCALHOST, steady_port
from tests.support.processes import Running

HOME = Path("/usr/lib/rabbitmq/bin")
"""Where Debian has the plain scripts; those on PATH switch user first."""
IMAGE = "rabbitmq:4.1"
VHOSTS_AT_ONCE = 10
"""rabbitmqctl takes a second to start, so virtual hosts are made some at a time."""
COMMAND_TAKES = 300
STARTS_IN = 90.0


class RabbitMQ(ABC):
    """One node for a whole test run; each test has its own virtual host."""

    def __init__(self) -> None:
        """Choose a port; nothing is started."""
        self.port = steady_port()
        self._numbers = itertools.count(1)
        self._fresh: list[str] = []

    @abstractmethod
    def start(self) -> None:
        """Start it (again), and return when it takes connections."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it cleanly; its messages are there when it starts again."""

    @abstractmethod
    def kill(self) -> None:
        """End it at once."""

    @abstractmethod
    def close(self) -> None:
        """Stop it for good and remove every trace."""

    @abstractmethod
    def _ctl(self, *arguments: str) -> str: ...

    def rabbitmqctl(self, *arguments: str) -> str:
        """Run rabbitmqctl against this node and give what it prints; fail with it when it fails."""
        return self._ctl("--quiet", *arguments)

    def fresh_uri(self) -> str:
        """Return the address of a virtual host that no other test uses."""
        if not self._fresh:
            self._fresh = [f"test-{next(self._numbers)}" for _ in range(VHOSTS_AT_ONCE)]
            names = ",".join(f'<<"{name}">>' for name in self._fresh)
            self.rabbitmqctl(
                "eval",
                f'[begin ok = rabbit_vhost:add(V, <<"test">>), ok = rabbit_auth_backend_internal:set_permissions('
                f'<<"guest">>, V, <<".*">>, <<".*">>, <<".*">>, <<"test">>) end || V <- [{names}]].',
            )
        return f"amqp://guest:guest@{LOCALHOST}:{self.port}/{self._fresh.pop(0)}"

    def queues(self, uri: str) -> set[str]:
        """Name the queues of the virtual host at this address."""
        return {row["name"] for row in self.list_queues(uri, "name")}

    def queue_types(self, uri: str) -> dict[str, str]:
        """Tell the type of each queue of the virtual host at this address."""
        return {row["name"]: row["type"] for row in self.list_queues(uri, "name", "type")}

    def depths(self, uri: str) -> dict[str, int]:
        """Tell how many messages each queue holds, those that wait for an acknowledgement included."""
        return {row["name"]: row["messages"] for row in self.list_queues(uri, "name", "messages")}

    def list_queues(self, uri: str, *columns: str) -> list[dict[str, Any]]:
        """Give rabbitmqctl's list of the queues of the virtual host at this address."""
        rows: list[dict[str, Any]] = json.loads(
            self.rabbitmqctl("list_queues", "-p", vhost(uri), *columns, "--formatter", "json")
        )
        return rows

    def connections(self, uri: str) -> int:
        """Count the connections to the virtual host at this address, blocked ones included."""
        rows = json.loads(self.rabbitmqctl("list_connections", "vhost", "state", "--formatter", "json"))
        return sum(row["vhost"] == vhost(uri) for row in rows)

    def close_connections(self, uri: str) -> None:
        """Close every connection to the virtual host at this address, as an operator does."""
        self.rabbitmqctl("close_all_connections", "-p", vhost(uri), "test")

    def answers(self) -> bool:
        """Return whether it accepts connections."""
        try:
            with amqp.Connection(f"{LOCALHOST}:{self.port}", connect_timeout=2, read_timeout=2) as connection:
                return bool(connection.connected)
        except (OSError, amqp.AMQPError):
            return False


class Node(RabbitMQ):
    """A node of the system's package, run by this user in a folder of its own."""

    def __init__(
        self, folder: Path, name: str | None = None, home: Path | None = None, epmd_port: int | None = None
    ) -> None:
        """Give it names, ports and folders that nothing else uses; nodes of a cluster share `home` and `epmd_port`."""
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        home = home or folder / "home"
        home.mkdir(exist_ok=True)
        (folder / "plugins").write_text("[].\n")
        self.epmd_port = epmd_port or steady_port()
        self.name = f"{name or f'errandtest-{os.getpid()}'}@localhost"
        self.env = {
            "HOME": str(home),  # the Erlang cookie
            "ERL_EPMD_PORT": str(self.epmd_port),  # a name server of its own, so that it can be ended with the node
            "ERL_EPMD_ADDRESS": LOCALHOST,
            "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_IP_ADDRESS": LOCALHOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(steady_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
        }
        self.server = Running(
            "rabbitmq",
            [str(HOME / "rabbitmq-server")],
            folder / "rabbitmq.log",
            env=self.env,
            ready=self.answers,
            starts_in=STARTS_IN,
        )

    @staticmethod
    def there() -> bool:
        """Return whether the system has the package."""
        return (HOME / "rabbitmq-server").exists()

    def start(self) -> None:
        self.server.start()

    def stop(self) -> None:
        self.server.stop(patience=60)

    def kill(self) -> None:
        self.server.kill9()

    def hold(self) -> None:
        """Pause it: its connections stay open, and it answers nothing."""
        self._signal(signal.SIGSTOP)

    def release(self) -> None:
        """Resume it."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.server.process is not None
        os.killpg(self.server.process.pid, number)

    def close(self) -> None:
        self.stop()
        epmd = next(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"), None)
        if epmd:
            subprocess.run(
                [epmd, "-port", str(self.epmd_port), "-kill"], capture_output=True, timeout=COMMAND_TAKES, check=False
            )

    def _ctl(self, *arguments: str) -> str:
        return run([str(HOME / "rabbitmqctl"), "-n", self.env["RABBITMQ_NODENAME"], *arguments], self.env)


class Container(RabbitMQ):
    """A container, where the package is missing and a Docker engine answers."""

    def __init__(self) -> None:
        """Give it a name that nothing else uses."""
        super().__init__()
        self.name = f"errandtest-{os.getpid()}"
        self.created = False

    @staticmethod
    def there() -> bool:
        """Return whether a Docker engine answers."""
        if not shutil.which("docker"):
            return False
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=COMMAND_TAKES, check=False)
        return asked.returncode == 0

    def start(self) -> None:
        if self.created:
            run(["docker", "start", self.name])
        else:
            run(["docker", "run", "-d", "--name", self.name, "-p", f"{LOCALHOST}:{self.port}:5672", IMAGE])
            self.created = True
        until(self.answers, STARTS_IN, "RabbitMQ in Docker", pause=0.5)

    def stop(self) -> None:
        run(["docker", "stop", self.name])

    def kill(self) -> None:
        run(["docker", "kill", self.name])

    def close(self) -> None:
        run(["docker", "rm", "-f", self.name])

    def _ctl(self, *arguments: str) -> str:
        return run(["docker", "exec", self.name, "rabbitmqctl", *arguments])


def run(command: list[str], env: dict[str, str] | None = None) -> str:
    """Run a command and give what it prints; fail with all it said when it fails."""
    done = subprocess.run(
        command, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=COMMAND_TAKES, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def vhost(uri: str) -> str:
    """Return the virtual host of an address, the first where there are several."""
    return urlsplit(uri.partition(";")[0]).path[1:] or "/"
