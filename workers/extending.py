"""What plug-ins build their services of: `from workers.extending import rpc, event_handler, timer`.

Public, and all of the workers' side that is; `docs/extending.md` tells how to use it. Everything is spelled as in
nameko's tutorials, works with `worker_factory` and `container_factory`, and survives whatever comes in and the loss of
its broker.
"""

from nameko.events import BROADCAST, SERVICE_POOL, SINGLETON
from nameko.extensions import DependencyProvider

from workers.dependencies import settings_of
from workers.entrypoints.events import event_handler
from workers.entrypoints.http import http
from workers.entrypoints.plugin_rpc import rpc
from workers.entrypoints.timer import timer
from workers.plugins.calling import EventDispatcher, RpcProxy

__all__ = [
    "BROADCAST",
    "SERVICE_POOL",
    "SINGLETON",
    "DependencyProvider",
    "EventDispatcher",
    "RpcProxy",
    "event_handler",
    "http",
    "rpc",
    "settings_of",
    "timer",
]
