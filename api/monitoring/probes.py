"""Health probes for container platforms: `GET /healthz` and `GET /readyz`."""

from flask import Blueprint

from api.context import Errand, current_errand
from api.http.answer import Answer, json_answer
from api.http.specs import documented
from api.monitoring.specs import LIVENESS, READINESS
from errand.errors import StoreUnavailable

probes = Blueprint("probes", __name__)


@probes.get("/healthz")
@documented(tags=["health"], responses=LIVENESS)
def alive() -> Answer:
    """Check that the API is alive"""
    return json_answer('{"status":"ok"}\n')


@probes.get("/readyz")
@documented(tags=["health"], responses=READINESS)
def ready() -> Answer:
    """Check that jobs can be accepted

    `degraded` means that the broker is down: jobs are accepted all the same, and run when it is back. Without the store
    the answer is 503, and no job is accepted.
    """
    store, broker = _state(store_up(current_errand())), _state(current_errand().relay.broker_up)
    if store == "down":
        raise StoreUnavailable(dependencies={"store": store, "broker": broker})
    status = "ready" if broker == "up" else "degraded"
    return json_answer(f'{{"status":"{status}","dependencies":{{"store":"{store}","broker":"{broker}"}}}}\n')


def store_up(errand: Errand) -> bool:
    """Return whether the store answers."""
    try:
        errand.store.ping()
    except StoreUnavailable:
        return False
    return True


def _state(up: bool) -> str:
    return "up" if up else "down"
