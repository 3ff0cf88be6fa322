"""The words in which views describe themselves for the API document.

Stands beside the life of a job. `documentation.py` collects what is said here.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from api.problems import SENTENCES, body_of, plain
from errand.errors import (
    BodyUnreadable,
    ErrandError,
    JobRefused,
    JobUnknown,
    MediaTypeUnsupported,
    StoreUnavailable,
)
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


def gives(description: str, schema: Spec, headers: Spec | None = None) -> Spec:
    """Describe one answer of a view."""
    return {"description": description, "content": {"application/json": {"schema": schema}}, "headers": headers or {}}


def refuses(description: str, with_: ErrandError | Spec, headers: Spec | None = None) -> Spec:
    """Describe an answer that is a problem, by the error (or the body) it has in the simplest case."""
    example = body_of(with_) if isinstance(with_, ErrandError) else with_
    content = {MEDIA_TYPE: {"schema": reference(Problem), "example": example}}
    return {"description": description, "content": content, "headers": headers or {}}


def header(description: str, type_: str = "string") -> Spec:
    """Describe a header of an answer."""
    return {"description": description, "schema": {"type": type_}}


def states(**members: list[str]) -> Spec:
    """Describe an object of texts, each with what it can be."""
    properties = {name: {"type": "string", "enum": values} for name, values in members.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}


RETRY_AFTER: Final = {"Retry-After": header("Seconds after which to try again.", "integer")}
_FAULT: Final = {"pointer": "/value", "detail": "is missing; it is required"}
_REFUSED: Final = JobRefused("Nothing was stored: correct /value, then send it again.", errors=[_FAULT])
_TOO_LARGE: Final = plain(413, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase, SENTENCES[413])

ACCEPTING: Final = {
    "202": gives("Stored; it will be run.", reference(Accepted), {"Location": header("Path of the job.")}),
    "400": refuses("The body is not JSON.", BodyUnreadable()),
    "413": refuses("The body is larger than 1 MiB.", _TOO_LARGE),
    "415": refuses("The body is not declared as `application/json`.", MediaTypeUnsupported()),
    "422": refuses("The body is JSON but not a job; `errors` names each wrong place.", _REFUSED),
    "503": refuses(
        "Nothing was stored: the store is down, or no worker is there yet.", StoreUnavailable(), RETRY_AFTER
    ),
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
        "404": refuses("There is no such job (any more).", JobUnknown()),
        "503": refuses("The store is down.", StoreUnavailable(), RETRY_AFTER),
    },
}

LIVENESS: Final = {"200": gives("Alive.", states(status=["ok"]))}

_PARTS: Final = states(store=["up", "down"], broker=["up", "down"])
_READY: Final = {
    "type": "object",
    "properties": {"status": {"type": "string", "enum": ["ready", "degraded"]}, "dependencies": _PARTS},
    "required": ["status", "dependencies"],
}
_STORE_LESS: Final = StoreUnavailable(dependencies={"store": "down", "broker": "up"})
READINESS: Final = {
    "200": gives("Jobs are accepted.", _READY),
    "503": refuses("The store is down; `dependencies` tells of each part.", _STORE_LESS, RETRY_AFTER),
}
