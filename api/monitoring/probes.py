"""Health probes for container platforms: `GET /healthz` and `GET /readyz`.

`readiness.py` decides what is ready.
"""

import json
from typing import Final

from flask import Blueprint, request

from api.context import current_errand
from api.http.answer import Answer, json_answer
from api.http.specs import documented
from api.monitoring.readiness import readiness
from api.monitoring.specs import LIVENESS, READINESS, VERBOSE

probes = Blueprint("probes", __name__)

SHORT: Final = ("status", "dependencies")
"""What an answer has without `verbose`."""


@probes.get("/healthz")
@documented("checkLiveness", tags=["health"], responses=LIVENESS)
def alive() -> Answer:
    """Check that the API is alive"""
    return json_answer('{"status":"ok"}\n')


@probes.get("/readyz")
@documented("checkReadiness", tags=["health"], parameters=[VERBOSE], responses=READINESS)
def ready() -> Answer:
    """Check that jobs can be accepted

    `degraded` means that jobs are accepted and kept, but that something which they need is away: the broker (jobs start
    a little later), the mail server (mails wait), or the workers of a service. With `verbose=true` the answer names
    the services and the operations that no worker runs. Without the store the answer is 503, and no job is accepted.
    """
    found = readiness(current_errand())
    is_verbose = request.args.get("verbose") in ("", "true")  # others are ignored: some load balancers add their own
    shown = found if is_verbose else {name: found[name] for name in SHORT}
    return json_answer(json.dumps(shown) + "\n")
