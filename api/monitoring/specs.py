"""The API document's descriptions of the health probes (`probes.py`)."""

from typing import Final

from api.http.specs import RETRY_AFTER, enum_fields, json_response, problem_response
from errand.errors import StoreUnavailable

LIVENESS: Final = {"200": json_response("The process is alive.", enum_fields(status=["ok"]))}

_DEPENDENCIES: Final = enum_fields(store=["up", "down"], broker=["up", "down"])
_READY: Final = {
    "type": "object",
    "properties": {"status": {"type": "string", "enum": ["ready", "degraded"]}, "dependencies": _DEPENDENCIES},
    "required": ["status", "dependencies"],
}
_STORE_IS_DOWN: Final = StoreUnavailable(dependencies={"store": "down", "broker": "up"})
READINESS: Final = {
    "200": json_response("The API accepts jobs.", _READY),
    "503": problem_response(
        "The store is down; `dependencies` has the state of each dependency.", _STORE_IS_DOWN, RETRY_AFTER
    ),
}
