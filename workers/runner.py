"""Runs the named services in this process until it is told to stop.

Stands under steps 3 to 6 of a job's life; `__main__.py` calls it once everything is monkey-patched.
"""

import logging
import signal
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import eventlet
from eventlet.event import Event
from nameko.runners import ServiceRunner

from errand import health
from errand.broker.connection import open_connection
from errand.errors import StoreUnavailable
from errand.settings import Settings
from errand.store import Store

log = logging.getLogger(__name__)

SERVICES = {"compute": "workers.compute:Compute", "mail": "workers.mail:Mail", "rescuer": "workers.rescuer:Rescuer"}
"""The services by name, with where they are; only what is named is imported."""

BEAT_SECONDS = 5.0
"""Between two beats of the health file, and two tries to publish the catalogue."""

GREENTHREADS = 16
"""Calls one service answers at a time."""


def load(names: Sequence[str]) -> list[type]:
    """Import the services of these names."""
    paths = (SERVICES[name].partition(":") for name in names)
    return [getattr(import_module(module), attribute) for module, _, attribute in paths]


def nameko_config(settings: Settings) -> dict[str, Any]:
    """Give nameko what it wants to know; only JSON is ever read from a queue."""
    return {
        "AMQP_URI": settings.amqp_uri,
        "HEARTBEAT": settings.heartbeat,
        "ACCEPT": ["json"],
        "serializer": "json",
        "max_workers": GREENTHREADS,
        "SETTINGS": settings,
    }


def run(names: Sequence[str], settings: Settings) -> int:
    """Run the services until SIGTERM or SIGINT (then 0), or until one of them dies (then 1, for the supervisor).

    A service may have a `check(settings)`, which raises SettingsRefused before anything is started.
    """
    open_connection(settings.amqp_uri)  # makes the embedded broker known to nameko's own connections
    runner = ServiceRunner(nameko_config(settings))
    for service in load(names):
        if check := getattr(service, "check", None):
            check(settings)
        runner.add_service(service)
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: eventlet.spawn_n(_end, ended))
    eventlet.spawn_n(_beat)
    if "compute" in names:
        eventlet.spawn_n(_publish_catalogue, settings)
    starting = eventlet.spawn(runner.start)
    eventlet.spawn_n(_watch, runner, starting, ended)
    status: int = ended.wait()
    if status == 0:
        log.info("Stopping: %s", ", ".join(names), extra={"action": "stopping"})
        if starting.dead:
            runner.stop()
    return status


def _end(ended: Event, status: int = 0) -> None:
    if not ended.ready():
        ended.send(status)


def _watch(runner: ServiceRunner, starting: Any, ended: Event) -> None:
    """End the process when a service could not start or has died; nameko tells by raising."""
    try:
        starting.wait()
        log.info("Started: %s", ", ".join(sorted(runner.service_names)), extra={"action": "started"})
        runner.wait()
    except Exception:
        log.exception("A service died", extra={"action": "service_died"})
    _end(ended, 1)


def _beat() -> None:
    while True:
        health.beat()
        eventlet.sleep(BEAT_SECONDS)


def _publish_catalogue(settings: Settings) -> None:
    """Tell the API what this worker computes, again and again: a store that was emptied learns it anew."""
    from workers.operations import OPERATIONS

    store = Store.connect(settings)
    texts = {name: operation.spec.model_dump_json() for name, operation in OPERATIONS.items()}
    while True:
        try:
            store.publish_catalogue(texts)
        except StoreUnavailable as fault:
            log.warning("The catalogue is not published: %s", fault, extra={"action": "catalogue_waits"})
        eventlet.sleep(BEAT_SECONDS)
