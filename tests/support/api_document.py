"""Compares answers of the API with its document: openapi-core says whether status, headers and body are described."""

import json
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.test import TestResponse

from api.app import app_of_routes
from api.docs.document import build_document
from api.docs.operation_forms import with_operations
from errand.settings import Settings
from schemas.operations import Operation
from schemas.problems import MEDIA_TYPE
from tests.support.api import ADD, ANYTHING, TREE

HOST = "http://errand.example"
CONFIG = Config(extra_media_type_deserializers={MEDIA_TYPE: json.loads})
STREAM = "text/event-stream"
FAULT = 500
"""An internal error: nobody can say beforehand where one occurs, so no operation lists it."""


class ApiDocument:
    """The document, to which answers are held."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Hold answers to this document."""
        self._contract = OpenAPI.from_dict({**document, "servers": [{"url": HOST}]}, config=CONFIG)

    def check(self, method: str, path: str, status: int, headers: Any, body: bytes) -> None:
        """Fail if an answer is not as the document says; answers to what no operation describes are passed over."""
        media_type = headers.get("Content-Type", "").partition(";")[0]
        if method in {"HEAD", "OPTIONS"} or status == FAULT or media_type == STREAM:
            return
        request = MockRequest(HOST, method.lower(), path)
        response = MockResponse(body, status, dict(headers), media_type)
        if not body and media_type.startswith("text/"):
            return  # an empty text is a text, which openapi-core doesn't know
        try:
            self._contract.validate_response(request, response)
        except PathError:  # there is no such path, or not with this method
            return
        except OpenAPIError as fault:
            sentence = f"{method} {path} answered {status}, not as /apispec.json says: {fault} {fault.__cause__ or ''}"
            raise AssertionError(f"{sentence}\n{body[:2000]!r}") from fault


class CheckedClient(FlaskClient):
    """A client that compares each answer with the document."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request, and check its answer."""
        answer = super().open(*args, **kwargs)
        if answer.mimetype == STREAM:  # it may have no end
            return answer
        request = answer.request
        document_of(mailbox=bool(self.application.extensions["errand"].settings.mailbox)).check(
            request.method, request.path, answer.status_code, answer.headers, answer.data
        )
        return answer


@cache
def document_of(*, mailbox: bool) -> ApiDocument:
    """Return the document of the operations that unit tests publish, which all tests of a process share."""
    app: Flask = app_of_routes(Settings(_env_file=None, mailbox="mail" if mailbox else ""))
    operations = [Operation.model_validate(each) for each in (ADD, ANYTHING, TREE)]
    return ApiDocument(with_operations(build_document(app), operations))
