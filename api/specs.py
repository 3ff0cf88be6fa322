"""The words in which views describe themselves for the API document.

Stands beside the life of a job. `documentation.py` collects what is said here.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from schemas.jobs import Accepted, Job
from schemas.problems import MEDIA_TYPE, Problem

V = TypeVar("V", bound=Callable[..., Any])
Spec = dict[str, Any]


def documented(**spec: Any) -> Callable[[V], V]:
    """Attach a description to a view, where flasgger looks for it; the docstring becomes summary and description.

    This is flasgger's `swag_from` for a dict, without the wrapper it puts around every request.
    """

    def attach(view: V) -> V:
        view.specs_dict = spec  # type: ignore[attr-defined]  # flasgger's name for it
        return view

    return attach


def reference(model: type[BaseModel]) -> Spec:
    """Point to a model's schema."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def takes(model: type[BaseModel], example: object) -> Spec:
    """Describe the body a view takes."""
    return {"required": True, "content": {"application/json": {"schema": reference(model), "example": example}}}


def gives(description: str, schema: Spec, headers: Spec | None = None, media_type: str = "application/json") -> Spec:
    """Describe one answer of a view."""
    return {"description": description, "content": {media_type: {"schema": schema}}, "headers": headers or {}}


def refuses(description: str, headers: Spec | None = None) -> Spec:
    """Describe an answer that is a problem."""
    return gives(description, reference(Problem), headers, MEDIA_TYPE)


def header(description: str, type_: str = "string") -> Spec:
    """Describe a header of an answer."""
    return {"description": description, "schema": {"type": type_}}


def states(**members: list[str]) -> Spec:
    """Describe an object of texts, each with what it can be."""
    properties = {name: {"type": "string", "enum": values} for name, values in members.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}


RETRY_AFTER: Final = {"Retry-After": header("Seconds after which to try again.", "integer")}
STORE_DOWN: Final = refuses("The job store can't be reached; nothing was changed.", RETRY_AFTER)

ACCEPTING: Final = {
    "202": gives("Stored; it will be run.", reference(Accepted), {"Location": header("Path of the job.")}),
    "400": refuses("The body is not JSON."),
    "413": refuses("The body is larger than 1 MiB."),
    "415": refuses("The body is not declared as `application/json`."),
    "422": refuses("The body is JSON but not a job; `errors` names each wrong place."),
    "503": refuses("Nothing was stored: the store is down, or no worker is there yet.", RETRY_AFTER),
}

REPORTING: Final[Spec] = {
    "parameters": [
        {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
        {
            "name": "If-None-Match",
            "in": "header",
            "description": "An `ETag` seen before.",
            "schema": {"type": "string"},
        },
    ],
    "responses": {
        "200": gives(
            "The job.",
            reference(Job),
            {
                "ETag": header("Names this state of the job."),
                "Retry-After": header("Seconds after which to ask again, while it has not ended.", "integer"),
            },
        ),
        "304": {"description": "It has not changed since the `ETag` in `If-None-Match`."},
        "404": refuses("There is no such job (any more)."),
        "503": STORE_DOWN,
    },
}

LIVENESS: Final = {"200": gives("Alive.", states(status=["ok"]))}

_PARTS: Final = states(store=["up"], broker=["up", "down"])
_READY: Final = states(status=["ready", "degraded"])
READINESS: Final = {
    "200": gives(
        "Jobs are accepted.",
        {
            **_READY,
            "properties": {**_READY["properties"], "dependencies": _PARTS},
            "required": ["status", "dependencies"],
        },
    ),
    "503": refuses("The store is down; `dependencies` tells of each part.", RETRY_AFTER),
}
