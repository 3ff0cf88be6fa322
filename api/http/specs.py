"""Building blocks of the API document: parameters, headers and responses that views describe themselves with.

`api/docs/document.py` puts the document together.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from api.http.problems import HTTP_SENTENCES, plain_problem, problem_body
from errand.errors import CrossSiteRefused, ErrandError, MediaTypeUnsupported, PreconditionFailed, StoreUnavailable
from schemas.jobs import ID_IN_ANY_CASE
from schemas.problems import MEDIA_TYPE, Problem

V = TypeVar("V", bound=Callable[..., Any])
Spec = dict[str, Any]


def documented(operation_id: str, /, **spec: Any) -> Callable[[V], V]:
    """Attach an OpenAPI description to a view, where flasgger looks for it; its docstring is summary and description.

    `operation_id`: what generated clients call the request, as a method's name: `submitJob`.
    This is flasgger's `swag_from` for a dict, without its wrapper around every request.
    """

    def attach(view: V) -> V:
        view.specs_dict = {"operationId": operation_id, **spec}  # type: ignore[attr-defined]  # flasgger's name for it
        return view

    return attach


def reference(model: type[BaseModel]) -> Spec:
    """Return a reference to a model's schema."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def json_request(model: type[BaseModel], example: object) -> Spec:
    """Describe the JSON body that a view reads."""
    return {"required": True, "content": {"application/json": {"schema": reference(model), "example": example}}}


def json_response(description: str, schema: Spec, headers: Spec | None = None) -> Spec:
    """Describe a JSON response of a view."""
    return {"description": description, "content": {"application/json": {"schema": schema}}, "headers": headers or {}}


def problem_response(description: str, with_: ErrandError | Spec, headers: Spec | None = None) -> Spec:
    """Describe a response that is a problem; `with_` is the error (or the body) of its example."""
    example = problem_body(with_) if isinstance(with_, ErrandError) else with_
    content = {MEDIA_TYPE: {"schema": reference(Problem), "example": example}}
    return {"description": description, "content": content, "headers": headers or {}}


def text_response(description: str, media_type: str, example: str, schema: Spec | None = None) -> Spec:
    """Describe a response that is text and not JSON."""
    content = {media_type: {"schema": schema or {"type": "string"}, "example": example}}
    return {"description": description, "content": content}


def header(description: str, *, always: bool = False, **schema: Any) -> Spec:
    """Describe a header of a response: a string unless `schema` says otherwise. `always`: each response has it."""
    return {
        "description": description,
        "schema": {"type": "string", **schema},
        **({"required": True} if always else {}),
    }


def parameter(name: str, in_: str, description: str, **schema: Any) -> Spec:
    """Describe a parameter of a request: a string unless `schema` says otherwise."""
    place = {"name": name, "in": in_, "description": description, "schema": {"type": "string", **schema}}
    return place | {"required": True} if in_ == "path" else place


def enum_fields(**members: list[str]) -> Spec:
    """Describe an object whose members are strings with these possible values."""
    properties = {name: {"type": "string", "enum": values} for name, values in members.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}


RETRY_AFTER: Final = {
    "Retry-After": header("Seconds after which to try again.", always=True, type="integer", minimum=1)
}
ETAG: Final = {"ETag": header("Identifies this version of the response.", always=True)}
IF_NONE_MATCH: Final = parameter(
    "If-None-Match", "header", "The `ETag` of an earlier response; if nothing has changed since, the answer is 304."
)
IF_MATCH: Final = parameter(
    "If-Match", "header", "The `ETag` that you have read: nothing is done if there is another version by now (412)."
)
UNLESS_EXISTS: Final = parameter(
    "If-None-Match", "header", "`*`: nothing is done if it exists already (412). An `ETag`: if this version exists."
)
CHANGED: Final = problem_response(
    "A precondition (`If-Match`, `If-None-Match`) doesn't hold; nothing was done.", PreconditionFailed()
)
NOT_MODIFIED: Final = {
    "description": "Nothing has changed since the response whose `ETag` is in `If-None-Match`.",
    "headers": ETAG,
}
STORE_DOWN: Final = problem_response("The store is down.", StoreUnavailable(), RETRY_AFTER)
TOO_LARGE: Final = problem_response(
    "The body is larger than 1 MiB.",
    plain_problem(413, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase, HTTP_SENTENCES[413]),
)
UNSUPPORTED: Final = problem_response(
    "The body's media type is not `application/json`, or the body has a `Content-Encoding`.",
    MediaTypeUnsupported(),
    {"Accept-Encoding": header("`identity` if the body was encoded.")},
)
NOT_ALLOWED: Final = problem_response(
    "The path does not allow this method.",
    plain_problem(405, HTTPStatus.METHOD_NOT_ALLOWED.phrase, "This path does not allow PATCH; it allows GET and HEAD."),
    {"Allow": header("The methods that the path allows.", always=True)},
)
"""Part of every path's description, as is the next."""
MISDIRECTED: Final = problem_response(
    "The `Host` is not one that this server answers for (`TRUSTED_HOSTS`).",
    plain_problem(421, HTTPStatus.MISDIRECTED_REQUEST.phrase, "This server doesn't answer for the host other.example."),
)
CROSS_SITE: Final = problem_response("A page of another site sent this request.", CrossSiteRefused())
"""Part of each description of a request that changes something."""

JOB_ID: Final = parameter("job_id", "path", "The job's id.", format="uuid", pattern=f"^{ID_IN_ANY_CASE.pattern}$")
