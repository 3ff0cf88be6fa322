"""The words in which views describe themselves for the API document.

Stands beside the life of a job. `api/docs/document.py` collects what is said here.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from api.http.problems import HTTP_SENTENCES, plain_problem, problem_body
from errand.errors import ErrandError, StoreUnavailable
from schemas.jobs import ID
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


def json_request(model: type[BaseModel], example: object) -> Spec:
    """Describe the body a view takes."""
    return {"required": True, "content": {"application/json": {"schema": reference(model), "example": example}}}


def json_response(description: str, schema: Spec, headers: Spec | None = None) -> Spec:
    """Describe one answer of a view."""
    return {"description": description, "content": {"application/json": {"schema": schema}}, "headers": headers or {}}


def problem_response(description: str, with_: ErrandError | Spec, headers: Spec | None = None) -> Spec:
    """Describe an answer that is a problem, by the error (or the body) it has in the simplest case."""
    example = problem_body(with_) if isinstance(with_, ErrandError) else with_
    content = {MEDIA_TYPE: {"schema": reference(Problem), "example": example}}
    return {"description": description, "content": content, "headers": headers or {}}


def text_response(description: str, media_type: str, example: str, schema: Spec | None = None) -> Spec:
    """Describe an answer that is text of a media type other than JSON."""
    content = {media_type: {"schema": schema or {"type": "string"}, "example": example}}
    return {"description": description, "content": content}


def header(description: str, *, always: bool = False, **schema: Any) -> Spec:
    """Describe a header of an answer; `always`: all such answers have it. A text, unless `schema` says otherwise."""
    return {
        "description": description,
        "schema": {"type": "string", **schema},
        **({"required": True} if always else {}),
    }


def parameter(name: str, in_: str, description: str, **schema: Any) -> Spec:
    """Describe a parameter of a request; a text, unless `schema` says otherwise."""
    place = {"name": name, "in": in_, "description": description, "schema": {"type": "string", **schema}}
    return place | {"required": True} if in_ == "path" else place


def enum_fields(**members: list[str]) -> Spec:
    """Describe an object of texts, each with what it can be."""
    properties = {name: {"type": "string", "enum": values} for name, values in members.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}


RETRY_AFTER: Final = {
    "Retry-After": header("Seconds after which to try again.", always=True, type="integer", minimum=1)
}
ETAG: Final = {"ETag": header("Names this state of it.", always=True)}
IF_NONE_MATCH: Final = parameter("If-None-Match", "header", "An `ETag` seen before.")
NOT_MODIFIED: Final = {"description": "It has not changed since the `ETag` in `If-None-Match`.", "headers": ETAG}
STORE_DOWN: Final = problem_response("The store is down.", StoreUnavailable(), RETRY_AFTER)
TOO_LARGE: Final = problem_response(
    "The body is larger than 1 MiB.",
    plain_problem(413, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase, HTTP_SENTENCES[413]),
)
NOT_ALLOWED: Final = problem_response(
    "The path does not take this method.",
    plain_problem(405, HTTPStatus.METHOD_NOT_ALLOWED.phrase, "This path does not take PATCH; it takes GET and HEAD."),
    {"Allow": header("The methods it takes.", always=True)},
)
"""Said of every path."""

LIVENESS: Final = {"200": json_response("Alive.", enum_fields(status=["ok"]))}

_PARTS: Final = enum_fields(store=["up", "down"], broker=["up", "down"])
_READY: Final = {
    "type": "object",
    "properties": {"status": {"type": "string", "enum": ["ready", "degraded"]}, "dependencies": _PARTS},
    "required": ["status", "dependencies"],
}
_STORE_LESS: Final = StoreUnavailable(dependencies={"store": "down", "broker": "up"})
READINESS: Final = {
    "200": json_response("Jobs are accepted.", _READY),
    "503": problem_response("The store is down; `dependencies` tells of each part.", _STORE_LESS, RETRY_AFTER),
}


JOB_ID: Final = parameter("job_id", "path", "The job's id.", format="uuid", pattern=f"^{ID.pattern}$")
