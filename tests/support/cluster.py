"""A RabbitMQ cluster on this machine, from the system's package, for tests in which a node is lost."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.ports import LOCALHOST, steady_port
from tests.support.rabbitmq import Node


class Cluster:
    """Nodes that share a cookie and a name server; a single node counts as a cluster too."""

    def __init__(self, folder: Path, size: int = 3) -> None:
        """Describe the nodes; nothing is started."""
        home = folder / "home"
        epmd_port = steady_port()
        self.nodes = [
            Node(folder / str(number), name=f"errandtest-{os.getpid()}-{number}", home=home, epmd_port=epmd_port)
            for number in range(1, size + 1)
        ]

    def uri(self, first: int = 1) -> str:
        """Return the addresses of all nodes, one of them first, as kombu reads several."""
        begin = (first - 1) % len(self.nodes)
        order = [*self.nodes[begin:], *self.nodes[:begin]]
        return ";".join(f"amqp://guest:guest@{LOCALHOST}:{node.port}//" for node in order)

    def start(self) -> None:
        """Start all nodes, as one cluster."""
        self._all(Node.start)  # after a stop each waits for those that stopped later
        self.join()

    def kill(self) -> None:
        """End all nodes at once."""
        self._all(Node.kill)

    def join(self) -> None:
        """Make one cluster of the nodes that run, unless they are one."""
        first = self.nodes[0]
        for node in self.nodes[1:]:
            if first.name not in node.rabbitmqctl("cluster_status", "--formatter", "json"):
                for words in (["stop_app"], ["join_cluster", first.name], ["start_app"]):
                    node.rabbitmqctl(*words)

    def leader_of(self, queue: str) -> Node:
        """Return the node on which a quorum queue has its leader."""
        rows = self.nodes[0].list_queues(self.uri(), "name", "leader")
        name = next(row["leader"] for row in rows if row["name"] == queue)
        return next(node for node in self.nodes if node.name == name)

    def is_whole(self) -> bool:
        """Return whether each quorum queue has a member on every node."""
        rows = self.nodes[0].list_queues(self.uri(), "type", "online")
        return all(len(row["online"]) == len(self.nodes) for row in rows if row["type"] == "quorum")

    def close(self) -> None:
        """Stop all nodes, and the name server."""
        for node in reversed(self.nodes):
            node.close()

    def _all(self, do: Callable[[Node], None]) -> None:
        """Run this on all nodes in parallel."""
        with ThreadPoolExecutor(len(self.nodes)) as threads:
            list(threads.map(do, self.nodes))
