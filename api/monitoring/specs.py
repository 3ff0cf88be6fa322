"""The API document's descriptions of the health probes (`probes.py`)."""

from typing import Final

from api.http.specs import RETRY_AFTER, enum_fields, json_response, parameter, problem_response
from errand.errors import StoreUnavailable

LIVENESS: Final = {"200": json_response("The process is alive.", enum_fields(status=["ok"]))}

VERBOSE: Final = parameter(
    "verbose",
    "query",
    "`true`, or without a value: name each service, and the operations that no worker runs. Other values are ignored.",
)

_STATE: Final = {"type": "string", "enum": ["up", "down"]}
_DEPENDENCIES: Final = {
    "type": "object",
    "properties": {
        "store": _STATE,
        "broker": _STATE,
        "mail_server": _STATE | {"description": "As a mail worker last saw it; missing if none is alive."},
    },
    "required": ["store", "broker"],
}
_READY: Final = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["ready", "degraded"]},
        "dependencies": _DEPENDENCIES,
        "workers": {
            "type": "object",
            "description": "Only with `verbose`: each service, `up` if a worker that runs it is alive.",
            "additionalProperties": _STATE,
        },
        "operations_without_worker": {
            "type": "array",
            "description": "Only with `verbose`: operations of waiting jobs that no live worker runs.",
            "items": {"type": "string"},
        },
    },
    "required": ["status", "dependencies"],
}
_STORE_IS_DOWN: Final = StoreUnavailable(dependencies={"store": "down", "broker": "up"})
READINESS: Final = {
    "200": json_response("The API accepts jobs.", _READY),
    "503": problem_response(
        "The store is down; `dependencies` has the state of each dependency.", _STORE_IS_DOWN, RETRY_AFTER
    ),
}
