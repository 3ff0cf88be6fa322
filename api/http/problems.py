"""Turns every error into a problem (RFC 9457): the one table from errors to HTTP statuses, and the response's body.

Views catch no errors; the handlers registered here answer for all of them. `errand/errors.py` defines the errors.
"""

import json
import logging
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from flask import Flask, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RoutingException

from api.http.answer import Answer
from errand.errors import (
    BodyUnreadable,
    BrokerUnavailable,
    CallRefused,
    CatalogueEmpty,
    ContentEncodingUnsupported,
    CrossSiteRefused,
    ErrandError,
    EventIdRefused,
    FileUnknown,
    FormRefused,
    IdempotencyKeyRefused,
    IdempotencyKeyReused,
    JobRefused,
    JobUnknown,
    LinkExpired,
    LinkRefused,
    MailUnknown,
    MediaTypeUnsupported,
    MoveRefused,
    OperationUnknown,
    ParameterRefused,
    PreconditionFailed,
    ScheduleNameRefused,
    ScheduleRefused,
    SchedulesFull,
    ScheduleUnknown,
    ServiceFailed,
    ServiceMissing,
    ServiceSlow,
    StoreUnavailable,
    StreamsFull,
)
from schemas.problems import MEDIA_TYPE

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """How an error looks over HTTP. `retry_after`: seconds after which to try again, if the error is a passing one.

    `accept_encoding`: the content encodings that are accepted, if the error is another one (RFC 9110, 15.5.16).
    """

    status: HTTPStatus
    title: str
    retry_after: int | None = None
    accept_encoding: str | None = None


TABLE: Final[dict[type[ErrandError], ProblemKind]] = {
    BodyUnreadable: ProblemKind(HTTPStatus.BAD_REQUEST, "The body is not JSON"),
    MediaTypeUnsupported: ProblemKind(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be JSON"),
    ContentEncodingUnsupported: ProblemKind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must not be encoded", accept_encoding="identity"
    ),
    JobRefused: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "The job was refused"),
    JobUnknown: ProblemKind(HTTPStatus.NOT_FOUND, "No such job"),
    LinkRefused: ProblemKind(HTTPStatus.NOT_FOUND, "No such link"),
    LinkExpired: ProblemKind(HTTPStatus.GONE, "The link has expired"),
    MailUnknown: ProblemKind(HTTPStatus.NOT_FOUND, "No such mail"),
    FileUnknown: ProblemKind(HTTPStatus.NOT_FOUND, "No such file"),
    FormRefused: ProblemKind(HTTPStatus.BAD_REQUEST, "The form was refused"),
    OperationUnknown: ProblemKind(HTTPStatus.NOT_FOUND, "No such operation"),
    MoveRefused: ProblemKind(HTTPStatus.CONFLICT, "The job's status does not allow this"),
    PreconditionFailed: ProblemKind(HTTPStatus.PRECONDITION_FAILED, "The precondition failed"),
    IdempotencyKeyRefused: ProblemKind(HTTPStatus.BAD_REQUEST, "The Idempotency-Key was refused"),
    IdempotencyKeyReused: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another job"),
    ParameterRefused: ProblemKind(HTTPStatus.BAD_REQUEST, "A parameter was refused"),
    ScheduleRefused: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "The schedule was refused"),
    ScheduleNameRefused: ProblemKind(HTTPStatus.BAD_REQUEST, "The schedule's name was refused"),
    ScheduleUnknown: ProblemKind(HTTPStatus.NOT_FOUND, "No such schedule"),
    SchedulesFull: ProblemKind(HTTPStatus.CONFLICT, "Too many schedules"),
    CrossSiteRefused: ProblemKind(HTTPStatus.FORBIDDEN, "The page is of another site"),
    EventIdRefused: ProblemKind(HTTPStatus.BAD_REQUEST, "The Last-Event-ID was refused"),
    StreamsFull: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "Too many streams", retry_after=5),
    StoreUnavailable: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "The job store is down", retry_after=2),
    CatalogueEmpty: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "No worker has started yet", retry_after=5),
    CallRefused: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "The call was refused"),
    BrokerUnavailable: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "The broker is away", retry_after=2),
    ServiceMissing: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "The service is away", retry_after=2),
    ServiceSlow: ProblemKind(HTTPStatus.GATEWAY_TIMEOUT, "The service is slow"),
    ServiceFailed: ProblemKind(HTTPStatus.BAD_GATEWAY, "The service failed"),
    ErrandError: ProblemKind(HTTPStatus.INTERNAL_SERVER_ERROR, "Errand failed"),
}

HTTP_SENTENCES: Final[dict[int, str]] = {
    404: "There is nothing at this path; /apidocs lists all paths.",
    413: "The body is larger than 1 MiB; send less.",
}
"""Our own sentences for HTTP errors where werkzeug's do not say what to do."""

_KEY: Final = re.compile(r"^((?:/[^/]+)*?/(?:view|unsubscribe)/)[^/]+")

PUBLIC_FIELDS: Final = ("errors", "parameter", "dependencies")
"""Fields of an error that the client may see; all others are only for the log."""


def kind_of(error: ErrandError) -> ProblemKind:
    """Return the table's row for the error's class, or for its nearest base class."""
    return next(TABLE[cls] for cls in type(error).__mro__ if cls in TABLE)


def problem_answer(body: dict[str, object]) -> Answer:
    """Return a problem with these members as a response."""
    return Answer(json.dumps(body) + "\n", body["status"], content_type=MEDIA_TYPE)


def plain_problem(status: int, title: str, detail: str) -> dict[str, object]:
    """Return the members of a problem that has no type of its own, only its HTTP status."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def problem_body(error: ErrandError) -> dict[str, object]:
    """Return the members of the problem that describes `error`."""
    kind = kind_of(error)
    body = {"type": type_uri(type(error)), "title": kind.title, "status": kind.status, "detail": error.detail}
    return body | {name: error.fields[name] for name in PUBLIC_FIELDS if name in error.fields}


def on_errand_error(error: ErrandError) -> Answer:
    """Answer an error of Errand."""
    kind = kind_of(error)
    if kind.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return on_fault(error)
    answer = problem_answer(problem_body(error))
    if kind.retry_after is not None:
        answer.headers["Retry-After"] = str(kind.retry_after)
    if kind.accept_encoding is not None:
        answer.headers["Accept-Encoding"] = kind.accept_encoding
    return answer


def on_http_error(error: HTTPException) -> Answer | HTTPException:
    """Answer an error of HTTP: unknown path, wrong method, body too large …"""
    if isinstance(error, RoutingException) or error.code is None:
        return error  # a redirect, not an error
    has_own_text = error.description != type(error).description
    detail = (None if has_own_text else HTTP_SENTENCES.get(error.code)) or error.description or ""
    if isinstance(error, MethodNotAllowed):
        allowed = sorted(set(error.valid_methods or ()) - {"OPTIONS"})
        detail = f"This path does not allow {request.method}; it allows {' and '.join(allowed)}."
    answer = problem_answer(plain_problem(error.code, error.name, detail))
    answer.headers.extend(header for header in error.get_headers() if header[0] != "Content-Type")
    return answer


def on_fault(error: Exception) -> Answer:
    """Answer an unexpected exception: the log gets the traceback, the client gets no details."""
    fields = {"action": "request_failed", "path": loggable_path(request.path)}
    log.error("A request failed", exc_info=error, extra=fields)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem_answer(plain_problem(status, status.phrase, "Something went wrong on our side; it was logged."))


def loggable_path(path: str) -> str:
    """Return the path as it may be logged, without the token of a link in a mail: the token alone opens the page."""
    return _KEY.sub(r"\1…", path)


def type_uri(error: type[ErrandError]) -> str:
    """Return an error's stable name, the `type` of its problem: StoreUnavailable is urn:errand:store-unavailable."""
    return "urn:errand:" + re.sub(r"(?<!^)(?=[A-Z])", "-", error.__name__).lower()


def register(app: Flask) -> None:
    """Register the handlers that answer every error of the app with a problem."""
    app.register_error_handler(ErrandError, on_errand_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_fault)
