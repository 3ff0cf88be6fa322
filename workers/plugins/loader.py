"""Loads the services of plug-ins, and runs each in a container that keeps its faults to itself.

Called by `runner.py`. Plug-ins import their building blocks from `extending.py`.
"""

import inspect
import logging
import sys
from collections.abc import Callable, Collection
from typing import Any

import eventlet
from nameko.containers import ServiceContainer
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from errand.plugins import find, refusal
from errand.settings import Settings
from workers.stopping import STOP

log = logging.getLogger(__name__)

MAX_WORKERS = 10
"""Calls that one instance answers at a time unless its class sets `max_workers`; nameko's own default."""


def load_plugin_services(settings: Settings, taken: Collection[str]) -> dict[str, type]:
    """Return all plug-ins' services by name; raise SettingsRefused if a module has none or a name is `taken`."""
    found: dict[str, type] = {}
    for plugin in find(settings.plugin_paths):
        if not plugin.has_service:
            continue
        module = plugin.load("service")
        services = [each for each in vars(module).values() if _is_service(each, module.__name__)]
        if not services:
            raise refusal(f"{module.__name__} has no service: a class with a name and a method under @rpc or the like")
        for service in services:
            name: str = service.name
            if name in taken or name in found:
                owner = found[name].__module__ if name in found else "Errand"
                raise refusal(f"{module.__name__} names a service {name}, but {owner} already has one of that name")
            found[name] = service
    return found


def _is_service(each: Any, module: str) -> bool:
    """Return whether `each` is a service class defined in the module itself."""
    if not (inspect.isclass(each) and each.__module__ == module and isinstance(getattr(each, "name", None), str)):
        return False
    return any(hasattr(method, ENTRYPOINT_EXTENSIONS_ATTR) for _, method in inspect.getmembers(each, callable))


class PluginContainer(ServiceContainer):  # type: ignore[misc]  # nameko has no annotations
    """A nameko container that survives errors of its dependencies and stops in time."""

    def __init__(self, service_cls: type, config: dict[str, Any]) -> None:
        """Host `service_cls` with `max_workers` greenthreads, a class attribute of the service."""
        super().__init__(service_cls, config | {"max_workers": getattr(service_cls, "max_workers", MAX_WORKERS)})

    def check(self) -> None:
        """Call `check()` of every extension that has one, before anything starts; it may raise SettingsRefused."""
        for extension in self.extensions:
            if check := getattr(extension, "check", None):
                check()

    def stop(self) -> None:
        """Wait up to `stop_grace` seconds for running calls; those cut off are redelivered to another instance."""
        grace = self.config["SETTINGS"].stop_grace
        stopping = eventlet.spawn(super().stop)
        if STOP.wait(lambda: bool(stopping.dead), grace):
            stopping.wait()  # raises what stopping raised
        else:
            fields = {"action": "cut_off"}
            log.warning("%s did not stop in time, so its calls are cut off", self.service_name, extra=fields)
            self.kill()
            stopping.kill()

    def _run_worker(self, worker_ctx: Any, handle_result: Callable[..., Any] | None) -> None:
        handled = False

        def handle(context: Any, result: Any, exc_info: Any) -> Any:
            nonlocal handled
            handled = True
            return handle_result(context, result, exc_info) if handle_result else (result, exc_info)

        try:
            super()._run_worker(worker_ctx, handle)
        except Exception:
            log.exception("A dependency of %s failed", self.service_name, extra={"action": "dependency_failed"})
            if not handled:  # the method never started: report this fault as if the method had raised it
                exc_info = sys.exc_info()
                handle(worker_ctx, None, exc_info)
                self._worker_result(worker_ctx, None, exc_info)
                self._worker_teardown(worker_ctx)

    def _worker_result(self, worker_ctx: Any, result: Any, exc_info: Any) -> None:
        for provider in self.dependencies:
            self._guarded(provider.worker_result, worker_ctx, result, exc_info)

    def _worker_teardown(self, worker_ctx: Any) -> None:
        for provider in self.dependencies:
            self._guarded(provider.worker_teardown, worker_ctx)

    def _guarded(self, act: Callable[..., Any], *arguments: Any) -> None:
        """Call a hook of one dependency; log its fault so that the other dependencies are still called."""
        try:
            act(*arguments)
        except Exception:
            log.exception("A dependency of %s failed", self.service_name, extra={"action": "dependency_failed"})
