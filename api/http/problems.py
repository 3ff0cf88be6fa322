"""Every way to say no: the one table from errors to HTTP statuses, and the RFC 9457 body that goes with them.

Stands at the end of a request that failed, whatever failed; no view catches anything. Next: `errand/errors.py`, the
errors themselves.
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
    """How an error looks over HTTP. `retry_after`: seconds after which to ask again, for what passes by itself."""

    status: HTTPStatus
    title: str
    retry_after: int | None = None


TABLE: Final[dict[type[ErrandError], ProblemKind]] = {
    BodyUnreadable: ProblemKind(HTTPStatus.BAD_REQUEST, "The body is not JSON"),
    MediaTypeUnsupported: ProblemKind(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be JSON"),
    JobRefused: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "The job was refused"),
    JobUnknown: ProblemKind(HTTPStatus.NOT_FOUND, "No such job"),
    LinkRefused: ProblemKind(HTTPStatus.NOT_FOUND, "No such link"),
    LinkExpired: ProblemKind(HTTPStatus.GONE, "The link has expired"),
    MailUnknown: ProblemKind(HTTPStatus.NOT_FOUND, "No such mail"),
    FileUnknown: ProblemKind(HTTPStatus.NOT_FOUND, "No such file"),
    FormRefused: ProblemKind(HTTPStatus.BAD_REQUEST, "The form was refused"),
    OperationUnknown: ProblemKind(HTTPStatus.NOT_FOUND, "No such operation"),
    MoveRefused: ProblemKind(HTTPStatus.CONFLICT, "Not in this status"),
    IdempotencyKeyRefused: ProblemKind(HTTPStatus.BAD_REQUEST, "The Idempotency-Key was refused"),
    IdempotencyKeyReused: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key is another job's"),
    ParameterRefused: ProblemKind(HTTPStatus.BAD_REQUEST, "A parameter was refused"),
    ScheduleRefused: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "The schedule was refused"),
    ScheduleNameRefused: ProblemKind(HTTPStatus.BAD_REQUEST, "The schedule's name was refused"),
    ScheduleUnknown: ProblemKind(HTTPStatus.NOT_FOUND, "No such schedule"),
    SchedulesFull: ProblemKind(HTTPStatus.CONFLICT, "Too many schedules"),
    EventIdRefused: ProblemKind(HTTPStatus.BAD_REQUEST, "The Last-Event-ID was refused"),
    StreamsFull: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "Too many streams", retry_after=5),
    StoreUnavailable: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "The job store is down", retry_after=2),
    CatalogueEmpty: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "No worker is there yet", retry_after=5),
    CallRefused: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "The call was refused"),
    BrokerUnavailable: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "The broker is away", retry_after=2),
    ServiceMissing: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "The service is away", retry_after=2),
    ServiceSlow: ProblemKind(HTTPStatus.GATEWAY_TIMEOUT, "The service is slow"),
    ServiceFailed: ProblemKind(HTTPStatus.BAD_GATEWAY, "The service failed"),
    ErrandError: ProblemKind(HTTPStatus.INTERNAL_SERVER_ERROR, "Errand failed"),
}

HTTP_SENTENCES: Final[dict[int, str]] = {
    404: "There is nothing at this path; see /apidocs for what there is.",
    413: "The body is larger than 1 MiB; send less.",
}
"""Own sentences where werkzeug's would not say what to do."""

_KEY: Final = re.compile(r"^(/(?:view|unsubscribe)/)[^/]+")

PUBLIC_FIELDS: Final = ("errors", "parameter", "dependencies")
"""Fields of an error that its owner may see; all others are for the log."""


def kind_of(error: ErrandError) -> ProblemKind:
    """Find the error's row: its own, or that of the nearest class above it."""
    return next(TABLE[cls] for cls in type(error).__mro__ if cls in TABLE)


def problem_answer(body: dict[str, object]) -> Answer:
    """Answer with a problem of these members."""
    return Answer(json.dumps(body) + "\n", body["status"], content_type=MEDIA_TYPE)


def plain_problem(status: int, title: str, detail: str) -> dict[str, object]:
    """Give the members of a problem that says no more than its HTTP status does."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def problem_body(error: ErrandError) -> dict[str, object]:
    """Give the members of the problem that tells of `error`."""
    kind = kind_of(error)
    body = {"type": type_uri(type(error)), "title": kind.title, "status": kind.status, "detail": error.detail}
    return body | {name: error.fields[name] for name in PUBLIC_FIELDS if name in error.fields}


def on_errand_error(error: ErrandError) -> Answer:
    """Answer for an error of Errand's own."""
    kind = kind_of(error)
    if kind.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return on_fault(error)
    answer = problem_answer(problem_body(error))
    if kind.retry_after is not None:
        answer.headers["Retry-After"] = str(kind.retry_after)
    return answer


def on_http_error(error: HTTPException) -> Answer | HTTPException:
    """Answer for an error of HTTP's own: no such path, wrong method, body too large …"""
    if isinstance(error, RoutingException) or error.code is None:
        return error  # a redirect, not an error
    its_own = error.description != type(error).description
    detail = (None if its_own else HTTP_SENTENCES.get(error.code)) or error.description or ""
    if isinstance(error, MethodNotAllowed):
        allowed = sorted(set(error.valid_methods or ()) - {"OPTIONS"})
        detail = f"This path does not take {request.method}; it takes {' and '.join(allowed)}."
    answer = problem_answer(plain_problem(error.code, error.name, detail))
    answer.headers.extend(header for header in error.get_headers() if header[0] != "Content-Type")
    return answer


def on_fault(error: Exception) -> Answer:
    """Answer for a fault of ours: the log has all of it, the client nothing of it."""
    told = {"action": "request_failed", "path": loggable_path(request.path)}
    log.error("A request failed", exc_info=error, extra=told)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem_answer(plain_problem(status, status.phrase, "Something went wrong on our side; it was logged."))


def loggable_path(path: str) -> str:
    """Give a path as it may be logged: who has a link of a mail needs no other key."""
    return _KEY.sub(r"\1…", path)


def type_uri(error: type[ErrandError]) -> str:
    """Give the stable name of an error as a problem's `type`: StoreUnavailable is urn:errand:store-unavailable."""
    return "urn:errand:" + re.sub(r"(?<!^)(?=[A-Z])", "-", error.__name__).lower()


def register(app: Flask) -> None:
    """Let the app answer every error with a problem."""
    app.register_error_handler(ErrandError, on_errand_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_fault)
