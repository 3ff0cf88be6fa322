"""Runs the named services in this process until it gets a signal to stop.

`__main__.py` calls it once everything is monkey-patched.
"""

import logging
import os
import signal
from collections.abc import Collection, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import eventlet
from eventlet.event import Event
from nameko.containers import ServiceContainer
from nameko.runners import ServiceRunner

from errand import health
from errand.broker.connection import open_connection
from errand.errors import StoreUnavailable
from errand.process import garbage_collection
from errand.settings import Settings
from errand.store import Store
from schemas.operations import COMPUTE, MAIL, RESCUER, WEBHOOKS, WITHOUT_OPERATIONS
from workers.stopping import STOP

if TYPE_CHECKING:
    from workers.operations.registry import RegisteredOperation

log = logging.getLogger(__name__)

SERVICES = {
    COMPUTE: "workers.compute.service:Compute",
    MAIL: "workers.mail.service:Mail",
    WEBHOOKS: "workers.webhooks.service:Webhooks",
    RESCUER: "workers.rescuer.service:Rescuer",
}
"""The class of each of Errand's own services; only those that run are imported."""

BEAT_SECONDS = 5.0
"""Between two beats of the health file, and between two publications of the catalogue."""

GREENTHREADS = 16
"""Maximum calls that one service answers at a time."""


def known(settings: Settings) -> list[str]:
    """List the services that can run here: those of operations, those that run none, and those of plug-ins.

    `compute` is listed only if it has operations here: otherwise it would claim jobs that it can't run.
    """
    named = sorted({operation.spec.service for operation in operations_of(settings).values()})
    return [*named, *WITHOUT_OPERATIONS, *plugins_of(settings, {*named, *SERVICES})]


def load(names: Sequence[str]) -> list[type]:
    """Import Errand's own services, and make those that exist only through their operations."""
    return [
        _own(name) if name in SERVICES else import_module("workers.compute.service").OperationService.of(name)
        for name in names
    ]


def plugins_of(settings: Settings, taken: Collection[str] = tuple(SERVICES)) -> dict[str, type]:
    """Load the services of plug-ins, by name; raise SettingsRefused. Without plug-ins nothing is imported."""
    if not settings.plugin_paths:
        return {}
    found: dict[str, type] = import_module("workers.plugins.loader").load_plugin_services(settings, taken)
    return found


def _own(name: str) -> type:
    module, _, attribute = SERVICES[name].partition(":")
    service: type = getattr(import_module(module), attribute)
    return service


def operations_of(settings: Settings) -> dict[str, "RegisteredOperation"]:
    """Load the operations of the settings; raise SettingsRefused."""
    from workers.operations.loader import load as load_operations

    return load_operations(settings.operation_modules)


def nameko_config(settings: Settings) -> dict[str, Any]:
    """Return nameko's configuration; only JSON is accepted from a queue."""
    return {
        "AMQP_URI": settings.amqp_uri,
        "HEARTBEAT": settings.heartbeat,
        "ACCEPT": ["json"],
        "serializer": "json",
        "max_workers": GREENTHREADS,
        "SETTINGS": settings,
    }


def run(names: Sequence[str], settings: Settings) -> int:
    """Run the services; return 0 after SIGTERM or SIGINT, 1 (for the supervisor) if one of them has died.

    A service may have a `check(settings)`; what it raises is raised here, before anything is started.
    """
    os.environ["GUARD_ALLOW"] = settings.guard_allow  # child processes have another working directory, without the .env
    open_connection(settings.amqp_uri)  # registers the embedded broker for nameko's own connections
    runner = ServiceRunner(nameko_config(settings))
    plugins = plugins_of(settings)
    for name in plugins.keys() & set(names):
        container = import_module("workers.plugins.loader").PluginContainer(plugins[name], runner.config)
        container.check()
        runner.service_map[name] = container
    for service in load([name for name in names if name not in plugins]):
        if check := getattr(service, "check", None):
            check(settings)
        runner.add_service(service)
    ended = Event()
    _stop_on_signals(ended)
    eventlet.spawn_n(_beat)
    specs = _operations([name for name in names if name not in plugins], settings)
    eventlet.spawn_n(_report, settings, runner, specs)
    starting = eventlet.spawn(runner.start)
    eventlet.spawn_n(_watch, runner, starting, ended)
    status: int = ended.wait()
    if status == 0:
        _stop(runner, starting)
    return status


def _stop_on_signals(ended: Event) -> None:
    """Stop on SIGTERM, on Ctrl-C, and when the terminal is closed, unless `nohup` keeps this process alive then."""

    def on_signal(number: int, _: object) -> None:
        STOP.signalled(number)
        eventlet.spawn_n(_end, ended)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:
            signal.signal(number, on_signal)


def _stop(runner: ServiceRunner, starting: Any) -> None:
    """Stop the services, and say what that waits for."""
    providers = [each for container in runner.containers for each in container.dependencies]
    executors = [each for each in providers if hasattr(each, "running_jobs")]  # compute isn't imported everywhere
    status = ", ".join(sorted(runner.service_names))
    if jobs := sum(each.running_jobs for each in executors):
        status = f"waiting for {jobs} running job{'s' * (jobs > 1)} to end or be handed back"
        health.notify(health.STOPPING, f"{health.STATUS}{status}")
    log.info("Stopping: %s", status, extra={"action": "stopping"})
    if starting.dead:
        runner.stop()
        return
    STOP.at_once = True  # without a broker a start never ends, but jobs may run: hand them back
    for executor in executors:
        executor.stop()


def _end(ended: Event, status: int = 0) -> None:
    if not ended.ready():
        ended.send(status)


def _watch(runner: ServiceRunner, starting: Any, ended: Event) -> None:
    """End the process when a service can't start or has died; then nameko raises."""
    try:
        starting.wait()
        log.info("Started: %s", ", ".join(sorted(runner.service_names)), extra={"action": "started"})
        garbage_collection.freeze()
        health.notify(health.STARTED)
        runner.wait()
    except Exception:
        log.exception("A service died", extra={"action": "service_died"})
    _end(ended, 1)


def _beat() -> None:
    while True:
        health.beat()
        eventlet.sleep(BEAT_SECONDS)


def _operations(names: Sequence[str], settings: Settings) -> dict[str, str]:
    """Return the operations of the named services, as JSON; import none if no service runs any."""
    if not set(names) - set(WITHOUT_OPERATIONS):
        return {}
    found = operations_of(settings).items()
    return {name: each.spec.model_dump_json() for name, each in found if each.spec.service in names}


def _report(settings: Settings, runner: ServiceRunner, specs: dict[str, str]) -> None:
    """Publish this worker's operations and services for the API, again and again: without that they are withdrawn."""
    store = Store.connect(settings)
    while True:
        try:
            store.publish_catalogue(specs)
            store.note_services({container.service_name: _state_of(container) for container in runner.containers})
            eventlet.sleep(BEAT_SECONDS)
        except StoreUnavailable as fault:
            log.warning("The catalogue is not published: %s", fault, extra={"action": "catalogue_waits"})
            eventlet.sleep(1)  # soon: without a catalogue the API refuses jobs


def _state_of(container: ServiceContainer) -> str:
    """Return the state that a service gives of what it depends on; an empty text if it gives none."""
    states = [getattr(each, "dependency_state", "") for each in container.dependencies]
    return next(filter(None, states), "")
