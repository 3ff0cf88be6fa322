"""Loads the services of plug-ins, and runs them so that what goes wrong in one stays there.

Stands beside the life of a job, under `runner.py`. Next: `extending.py`, of which plug-ins are built.
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

log = logging.getLogger(__name__)

MAX_WORKERS = 10
"""Calls one instance answers at a time, where its class has no `max_workers`; nameko's own number."""


def services_of(settings: Settings, taken: Collection[str]) -> dict[str, type]:
    """Give the services of all plug-ins by name; raise SettingsRefused for what is none, or has a `taken` name."""
    found: dict[str, type] = {}
    for plugin in find(settings.examples_list):
        if not plugin.has_service:
            continue
        module = plugin.load("service")
        services = [each for each in vars(module).values() if _is_service(each, module.__name__)]
        if not services:
            raise refusal(f"{module.__name__} has no service: a class with a name and a method under @rpc or the like")
        for service in services:
            name: str = service.name
            if name in taken or name in found:
                where = f"{found[name].__module__}'s" if name in found else "Errand's own"
                raise refusal(f"{module.__name__} calls a service {name}, and so is {where}")
            found[name] = service
    return found


def _is_service(each: Any, module: str) -> bool:
    """Tell whether it is a service that the module itself defines."""
    if not (inspect.isclass(each) and each.__module__ == module and isinstance(getattr(each, "name", None), str)):
        return False
    return any(hasattr(method, ENTRYPOINT_EXTENSIONS_ATTR) for _, method in inspect.getmembers(each, callable))


class PluginContainer(ServiceContainer):  # type: ignore[misc]  # nameko has no annotations
    """nameko's container, which no error of a dependency ends, and which stops in time."""

    def __init__(self, service_cls: type, config: dict[str, Any]) -> None:
        """Host `service_cls`, with as many workers as its `max_workers` says."""
        super().__init__(service_cls, config | {"max_workers": getattr(service_cls, "max_workers", MAX_WORKERS)})

    def check(self) -> None:
        """Raise SettingsRefused, before anything is started, where an extension that has a `check()` does."""
        for extension in self.extensions:
            if check := getattr(extension, "check", None):
                check()

    def stop(self) -> None:
        """Wait for the calls at hand, but not for ever: those that were cut off go to another instance."""
        grace = self.config["SETTINGS"].stop_grace
        stopping = eventlet.spawn(super().stop)
        with eventlet.Timeout(grace, exception=False):
            stopping.wait()
        if not stopping.dead:
            log.warning("%s took more than %g s to stop", self.service_name, grace, extra={"action": "cut_off"})
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
            if not handled:  # it wasn't even begun: as if the method had raised this
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
        """Let the other dependencies have their turn, whatever happens to this one."""
        try:
            act(*arguments)
        except Exception:
            log.exception("A dependency of %s failed", self.service_name, extra={"action": "dependency_failed"})
