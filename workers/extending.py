"""The public interface for plug-in services: `from workers.extending import rpc, event_handler, timer`.

Nothing else of the workers' side is public; `docs/extending.md` says how to use it. Every name is spelled as in
nameko's tutorials and works with `worker_factory` and `container_factory`. The entrypoints survive malformed messages
and the loss of the broker.
"""

from nameko.events import BROADCAST, SERVICE_POOL, SINGLETON
from nameko.extensions import DependencyProvider

from workers.dependencies import settings_of
from workers.entrypoints.events import event_handler
from workers.entrypoints.http import http
from workers.entrypoints.plugin_rpc import rpc
from workers.entrypoints.timer import timer
from workers.plugins.event_dispatcher import EventDispatcher
from workers.plugins.rpc_proxy import RpcProxy

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
