"""Says what is up: store, broker, mail server, and a live worker for each service that has something to do."""

from collections.abc import Iterable
from typing import Any

from api.context import Errand
from errand.errors import StoreUnavailable
from errand.settings import Settings
from errand.store import ServiceStates
from schemas.operations import COMPUTE, MAIL, RESCUER, WEBHOOKS


def readiness(errand: Errand) -> dict[str, Any]:
    """Return the body of `GET /readyz`. Raises StoreUnavailable with the state of each dependency."""
    broker = up_or_down(errand.relay.broker_up)
    try:
        states = errand.store.service_states()
    except StoreUnavailable as fault:
        raise StoreUnavailable(dependencies={"store": "down", "broker": broker}) from fault
    dependencies = {"store": "up", "broker": broker, **mail_server(states)}
    workers = services(states, errand.settings)
    ready = "down" not in {*dependencies.values(), *workers.values()} and not states.unknown
    return {
        "status": "ready" if ready else "degraded",
        "dependencies": dependencies,
        "workers": workers,
        "operations_without_worker": states.unknown,
    }


def mail_server(states: ServiceStates) -> dict[str, str]:
    """Return the state of the mail server, as the mail workers last saw it; nothing if no worker has said it."""
    state = states.alive.get(MAIL)
    return {"mail_server": state} if state else {}


def services(states: ServiceStates, settings: Settings) -> dict[str, str]:
    """Return each service, in the order of the alphabet, with `up` if a worker that runs it is alive."""
    named = {*states.alive, *expected(states.queues, settings)}
    return {name: up_or_down(name in states.alive) for name in sorted(named)}


def expected(queues: Iterable[str], settings: Settings) -> set[str]:
    """Return the services that must have a worker: those that every job needs, and those for which jobs wait."""
    named = {COMPUTE, RESCUER, *(queue.partition(".")[0] for queue in queues)}
    if settings.mail_enabled:
        named.add(MAIL)
    if settings.webhook_keys:
        named.add(WEBHOOKS)
    return named


def up_or_down(up: bool) -> str:
    """Return the word for the state of a dependency."""
    return "up" if up else "down"
